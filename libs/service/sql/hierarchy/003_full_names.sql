-- Kind and name together, folded as libs/service/hierarchy.py folds the name, so that "khom 6" finds Khóm 6.
ALTER TABLE unit_spans ADD COLUMN folded_full_name text NOT NULL GENERATED ALWAYS AS (
    lower(regexp_replace(normalize(translate(kind, 'đĐÐ', 'ddd'), NFD), '[\u0300-\u036f]', '', 'g'))
    || ' ' || folded_name) STORED;
