"""Every problem code of every service: its status and its title in Vietnamese and English."""

# ruff: noqa: E501
# A row stays on one line, so that the table can be read as one.
# fmt: off

from typing import NamedTuple


class ProblemType(NamedTuple):
    """A row of the table. Titles never change from case to case; the case is told by `detail`."""

    status: int
    title_vi: str
    title_en: str


def _rows(*rows: tuple[str, int, str, str]) -> dict[str, ProblemType]:
    return {code: ProblemType(status, title_vi, title_en) for code, status, title_vi, title_en in rows}


REQUEST = _rows(
    ("not-found", 404, "Không tìm thấy", "Not found"),
    ("method-not-allowed", 405, "Phương thức không được phép", "Method not allowed"),
    ("request-timeout", 408, "Gửi yêu cầu quá chậm", "The request arrived too slowly"),
    ("body-too-large", 413, "Nội dung gửi lên quá lớn", "The body is too large"),
    ("uri-too-long", 414, "Địa chỉ quá dài", "The address is too long"),
    ("media-type-unsupported", 415, "Chỉ nhận nội dung JSON", "Only JSON is accepted"),
    ("batch-too-large", 413, "Quá nhiều lệnh trong một lần gửi", "Too many commands in one batch"),
    ("not-json", 400, "Nội dung không phải JSON hợp lệ", "The body is not well-formed JSON"),
    ("bad-request", 400, "Yêu cầu không hợp lệ", "The request cannot be understood"),
    ("if-match-malformed", 400, "If-Match không đúng dạng", "If-Match is malformed"),
    ("idempotency-key-malformed", 400, "Idempotency-Key phải là UUID", "Idempotency-Key must be a UUID"),
    ("read-after-malformed", 400, "Read-After không đúng dạng", "Read-After is malformed"),
    ("cursor-malformed", 400, "Con trỏ trang không đúng", "The cursor is malformed"),
    ("rate-limited", 429, "Gửi quá nhiều yêu cầu", "Too many requests in a short time"),
    ("timeout-malformed", 400, "Request-Timeout không đúng dạng", "Request-Timeout is malformed"),
    ("deadline-passed", 504, "Không kịp trả lời trong thời hạn", "There was no answer by the deadline"),
    ("internal-error", 500, "Lỗi bên trong hệ thống", "Something went wrong inside"),
)

TOKENS = _rows(
    ("token-missing", 401, "Chưa đăng nhập", "No bearer token was given"),
    ("token-invalid", 401, "Mã truy cập không hợp lệ", "The token is not valid"),
    ("token-too-large", 401, "Mã truy cập quá dài", "The token is too large"),
    ("token-algorithm-refused", 401, "Thuật toán ký không được chấp nhận", "The token's algorithm is not accepted"),
    ("token-key-unknown", 401, "Không biết khóa ký mã truy cập", "The token's signing key is not known"),
    ("token-signature-wrong", 401, "Chữ ký của mã truy cập sai", "The token's signature is wrong"),
    ("token-issuer-wrong", 401, "Mã truy cập do nơi khác cấp", "The token is from another issuer"),
    ("token-audience-wrong", 401, "Mã truy cập không dành cho hệ thống này", "The token is for another audience"),
    ("token-expired", 401, "Mã truy cập đã hết hạn", "The token has expired"),
    ("token-not-yet-valid", 401, "Mã truy cập chưa có hiệu lực", "The token is not valid yet"),
    ("token-claim-missing", 401, "Mã truy cập thiếu thông tin", "The token lacks a claim"),
    ("role-not-allowed", 403, "Vai trò này không được làm việc này", "This role may not do this"),
    ("out-of-scope", 403, "Ngoài phạm vi được giao", "It lies outside the units or the team that one answers for"),
    ("token-keys-unavailable", 503, "Chưa lấy được khóa của nơi cấp mã", "The issuer's keys cannot be fetched"),
)

AVAILABILITY = _rows(
    ("database-unavailable", 503, "Cơ sở dữ liệu tạm ngừng", "The database is away"),
    ("log-unverified", 503, "Sổ đang được đối chiếu", "The log is being compared with its topic"),
    ("keys-unavailable", 503, "Chưa mở được dữ liệu cá nhân", "The keys of personal data cannot be had"),
    ("erasures-behind", 503, "Việc xóa dữ liệu cá nhân chưa xong", "Erasures have not been carried out yet"),
    ("copy-behind", 503, "Chưa đọc xong danh bạ các tổ", "What is known of teams and units is still being read"),
    ("not-ready", 503, "Dịch vụ chưa sẵn sàng", "The service is not ready"),
    ("service-unavailable", 503, "Dịch vụ tạm ngừng", "A service is away"),
    ("service-timeout", 504, "Dịch vụ trả lời quá chậm", "A service did not answer in time"),
    ("too-many-streams", 503, "Quá nhiều người đang theo dõi trực tiếp", "Too many live streams are open"),
    ("read-after-timeout", 504, "Số liệu chưa kịp cập nhật", "What was written is not included yet"),
)

INPUT = _rows(
    ("invalid-input", 422, "Dữ liệu không hợp lệ", "The input is not valid"),
    ("field-missing", 422, "Thiếu trường bắt buộc", "A required field is missing"),
    ("field-unknown", 422, "Trường không được biết đến", "A field is not known"),
    ("type-wrong", 422, "Sai kiểu dữ liệu", "A value has the wrong type"),
    ("malformed-id", 422, "Mã định danh không đúng dạng", "An id is malformed"),
    ("malformed-date", 422, "Ngày không đúng dạng", "A date is malformed"),
    ("malformed-month", 422, "Tháng không đúng dạng", "A month is malformed"),
    ("malformed-time", 422, "Thời điểm không đúng dạng", "An instant is malformed"),
    ("number-too-small", 422, "Số quá nhỏ", "A number is too small"),
    ("number-too-large", 422, "Số quá lớn", "A number is too large"),
    ("number-not-whole", 422, "Phải là số nguyên", "A number must be whole"),
    ("text-too-short", 422, "Văn bản quá ngắn", "A text is too short"),
    ("text-too-long", 422, "Văn bản quá dài", "A text is too long"),
    ("text-malformed", 422, "Văn bản không đúng dạng", "A text does not have the required form"),
    ("text-not-allowed", 422, "Văn bản có ký tự không được phép", "A text has characters that are not allowed"),
    ("list-too-short", 422, "Danh sách quá ngắn", "A list is too short"),
    ("list-too-long", 422, "Danh sách quá dài", "A list is too long"),
    ("value-not-allowed", 422, "Giá trị không nằm trong danh mục", "A value is not one of those allowed"),
    ("parameter-unknown", 422, "Không có tham số này", "There is no such parameter"),
    ("parameter-repeated", 422, "Tham số này chỉ được nêu một lần", "A parameter may be given once only"),
    ("target-mismatch", 422, "Mã trong nội dung khác với địa chỉ", "The body and the address name different things"),
    ("target-missing", 422, "Thiếu đối tượng của lệnh", "The command does not say what it is about"),
)

COMMANDS = _rows(
    ("command-kind-unknown", 422, "Không có loại lệnh này", "There is no such kind of command"),
    ("command-id-reused", 409, "Mã lệnh đã dùng cho nội dung khác", "The command id was used with other content"),
    ("version-conflict", 412, "Đã có người sửa trước", "Someone else changed it first"),
    ("too-many-writers", 409, "Quá nhiều người cùng sửa", "Too many write the same thing at once"),
    ("event-too-large", 422, "Một lệnh chứa quá nhiều dữ liệu", "The command carries too much"),
    ("not-storable", 422, "Nội dung không lưu được", "The content cannot be stored"),
)

DOMAIN = _rows(
    ("already-exists", 409, "Đã có với nội dung khác", "It exists already, with other content"),
    ("date-in-future", 422, "Ngày ở tương lai", "A date lies in the future"),
    ("listed-twice", 422, "Một mục được nêu hai lần", "Something is listed twice"),
)

REGISTRY = _rows(
    ("unit-unknown", 409, "Chưa biết đơn vị hành chính này", "The administrative unit is not known yet"),
    ("unit-ambiguous", 409, "Nhiều đơn vị cùng mang mã này", "Several units bear this code on that day"),
    ("unit-code-missing", 422, "Đơn vị cấp này phải có mã", "A unit of this level needs a code"),
    ("unit-code-malformed", 422, "Mã đơn vị không đúng dạng của cấp", "The code does not look like one of its level"),
    ("unit-id-mismatch", 422, "Mã định danh đơn vị không khớp", "The unit's id does not follow from its code"),
    ("unit-not-given", 422, "Chưa nêu đơn vị hành chính", "No administrative unit is named"),
    ("parent-missing", 422, "Thiếu đơn vị cấp trên", "A unit of this level needs a parent"),
    ("parent-level-wrong", 422, "Đơn vị cấp trên sai cấp", "The parent has the wrong level"),
    ("valid-before-parent", 422, "Đơn vị có trước đơn vị cấp trên", "The unit starts before its parent"),
    ("unit-not-active", 422, "Đơn vị không còn hoặc chưa có hiệu lực vào ngày đó", "The unit is not there on that day"),
    ("unit-code-taken", 422, "Mã đã thuộc đơn vị khác cùng cấp", "Another unit of the level bears the code then"),
    ("unit-orphaned", 422, "Đơn vị cấp trên không còn hiệu lực", "The unit's parent would not be there"),
    ("unit-changed-later", 422, "Đơn vị đã có thay đổi từ ngày muộn hơn", "A later change of the unit is decreed already"),
    ("unit-not-ended", 422, "Đơn vị có đơn vị kế thừa nhưng không kết thúc", "A unit that does not end has no successor"),
    ("successor-missing", 422, "Đơn vị kết thúc mà không có đơn vị kế thừa", "A unit ends without a successor"),
    ("successor-unknown", 422, "Không có đơn vị kế thừa này", "The successor is not there"),
    ("successor-level-wrong", 422, "Đơn vị kế thừa sai cấp", "The successor has the wrong level"),
    ("successor-not-active", 422, "Đơn vị kế thừa không có hiệu lực vào ngày đó", "The successor is not there on that day"),
    ("dissolved-with-successor", 422, "Đơn vị giải thể thì không có đơn vị kế thừa", "A dissolved unit has no successor"),
    ("extent-wrong", 422, "Phạm vi kế thừa không hợp lý", "Whole and part do not fit together"),
    ("hierarchy-cycle", 422, "Các đơn vị tạo thành vòng", "Units would be above or after themselves"),
    ("nothing-to-do", 422, "Không có gì để thay đổi", "There is nothing to do"),
    ("reorganisation-refused", 422, "Việc sắp xếp có nhiều lỗi", "The reorganisation is wrong in several ways"),
    ("hamlet-expected", 422, "Phải là ấp, khóm, thôn, tổ dân phố", "It must be a hamlet"),
    ("not-unassigned", 422, "Ấp, khóm này đã thuộc một xã", "The hamlet is not unassigned"),
    ("not-a-candidate", 422, "Ấp, khóm không thể thuộc xã này", "The split commune did not become this one"),
    ("assignment-unclear", 422, "Nêu đơn vị cấp trên hoặc các phần, không phải cả hai", "Either a parent or parts must be given"),
    ("parts-apart", 422, "Các phần không thuộc cùng một tỉnh", "The parts have no unit in common"),
    ("boundary-unknown", 404, "Chưa có ranh giới của đơn vị này", "The unit's outline is not known"),
    ("team-unknown", 409, "Chưa biết tổ này", "The team is not known yet"),
    ("team-place-invalid", 422, "Địa bàn của tổ không hợp lệ", "A team works in hamlets, or for one commune"),
    ("team-across-communes", 422, "Tổ không thể thuộc nhiều xã", "The team's hamlets lie in several communes"),
    ("team-dissolved", 422, "Tổ đã giải thể", "The team has been dissolved"),
    ("dissolved-before-members", 422, "Giải thể trước hoạt động của thành viên", "Something is known of a member after this day"),
    ("dissolved-before-campaign", 422, "Tổ còn đợt ra quân sau ngày này", "The team alone has a campaign after this day"),
    ("lists-behind", 409, "Danh sách chưa kịp cập nhật", "The lists do not include yet what was written"),
    ("before-last-change", 422, "Trước lần thay đổi gần nhất", "It lies before the last change"),
    ("member-in-team", 422, "Đang là thành viên của một tổ", "The member is in a team already"),
    ("membership-overlaps", 422, "Chưa rời tổ cũ vào ngày này", "The member was still in another team on that day"),
    ("member-left", 422, "Thành viên đã rời tổ", "The member has left the team"),
    ("before-joining", 422, "Trước ngày vào tổ", "It lies before the member joined"),
    ("sign-in-taken", 422, "Tài khoản đã gắn với thành viên khác", "The sign-in is another member's"),
    ("team-has-leader", 422, "Tổ đã có tổ trưởng", "The team has a leader already"),
    ("joined-before-team", 422, "Ngày vào tổ trước khi lập tổ", "The member joined before the team was formed"),
    ("member-unknown", 409, "Chưa biết thành viên này", "The member is not known yet"),
    ("member-not-in-team", 422, "Thành viên không thuộc tổ này", "The member is not in this team"),
    ("campaign-unknown", 409, "Chưa biết đợt ra quân này", "The campaign is not known yet"),
    ("campaign-before-team", 422, "Đợt ra quân trước khi lập tổ", "The campaign is dated before its team was formed"),
    ("campaign-held", 422, "Đợt ra quân đã diễn ra", "The campaign has been held"),
    ("campaign-cancelled", 422, "Đợt ra quân đã hủy", "The campaign has been cancelled"),
    ("digital-service-retired", 422, "Dịch vụ số đã ngừng", "The digital service has been retired"),
    ("statistic-unknown", 409, "Chưa biết số liệu báo cáo này", "The statistic is not known yet"),
    ("statistic-withdrawn", 422, "Số liệu báo cáo đã rút", "The statistic has been withdrawn"),
    ("share-out-of-range", 422, "Tỷ lệ phải từ 0 đến 1", "A share lies between 0 and 1"),
    ("target-unknown", 409, "Chưa biết mục tiêu này", "The target is not known yet"),
    ("target-withdrawn", 422, "Mục tiêu đã rút", "The target has been withdrawn"),
    ("cascade-to-nobody", 422, "Không có đơn vị cấp này bên dưới", "There is no unit of this level below"),
    ("version-not-next", 422, "Phiên bản không kế tiếp", "The version is not the next one"),
    ("definition-malformed", 422, "Định nghĩa chỉ tiêu không hợp lệ", "The indicator's definition does not fit"),
    ("dimension-not-had", 422, "Chỉ tiêu không có chiều phân tích này", "The indicator does not have this dimension"),
    ("digital-service-unknown", 409, "Chưa biết dịch vụ số này", "The digital service is not known yet"),
    ("stages-out-of-order", 422, "Các mức độ không đúng thứ tự", "The stages are not in their order"),
)

VISITS = _rows(
    ("household-unknown", 409, "Chưa biết hộ này", "The household is not known yet"),
    ("unit-not-hamlet", 422, "Hộ phải thuộc một ấp, khóm, thôn, tổ dân phố", "A household belongs to a hamlet"),
    ("unit-out-of-reach", 422, "Không phải một phần của ấp, khóm cũ", "It is no part of the household's hamlet"),
    ("household-there-already", 422, "Hộ đã ở đó", "The household is there already"),
    ("household-absorbed", 422, "Hộ đã được gộp vào hộ khác", "The household was merged into another one"),
    ("household-closed", 422, "Hộ không còn", "The household is no more"),
    ("household-erased", 422, "Dữ liệu cá nhân của hộ đã bị xóa; cần xóa của hộ kia trước khi gộp", "The household's personal data was erased; erase the other's before merging them"),
    ("household-fixed", 422, "Không đổi được hộ của lượt thăm", "A visit's household cannot be changed"),
    ("before-household", 422, "Trước khi có hộ", "It lies before the household's first day"),
    ("before-last-place", 422, "Trước lần chuyển nơi ở gần nhất", "It lies before the household's last change of place"),
    ("merge-with-itself", 422, "Không gộp một hộ với chính nó", "A household is not merged with itself"),
    ("merge-in-circle", 422, "Hai hộ đã được gộp theo chiều ngược lại", "They have been merged the other way round"),
    ("consent-not-given", 422, "Hộ chưa đồng ý", "There is no consent to take back"),
    ("withdrawn-before-given", 422, "Ngày rút trước ngày đồng ý", "Consent is withdrawn before it was given"),
    ("people-contradict", 422, "Số người trong hộ mâu thuẫn nhau", "The household's counts contradict each other"),
    ("consent-missing", 422, "Chưa có sự đồng ý hoặc căn cứ để lưu dữ liệu cá nhân", "No consent or legal basis is recorded"),
    ("search-needs-unit", 422, "Tìm theo tên phải nêu đơn vị", "A search by name needs a unit"),
    ("search-too-wide", 422, "Chỉ tìm theo tên trong phạm vi một xã", "A search by name stays within a commune"),
    ("personal-data-closed", 403, "Vai trò này không được xem dữ liệu cá nhân", "This role is not shown personal data"),
    ("visit-unknown", 409, "Chưa biết lượt thăm này", "The visit is not known yet"),
    ("visit-voided", 422, "Lượt thăm đã bị hủy", "The visit has been voided"),
    ("visit-confirmed", 422, "Lượt thăm đã được xác nhận", "The visit has been confirmed"),
    ("visit-disputed", 422, "Lượt thăm đang có khiếu nại", "The visit is under dispute"),
    ("visit-not-disputed", 422, "Lượt thăm không có khiếu nại", "The visit is not under dispute"),
    ("not-team-leader", 422, "Chỉ tổ trưởng của tổ", "Only the leader of the visit's team may do this"),
    ("sign-in-unknown", 409, "Chưa biết người đăng nhập là thành viên nào", "It is not known yet which member signs in"),
    ("own-visit", 422, "Không tự xác nhận lượt thăm của mình", "Nobody confirms a visit of their own"),
    ("team-not-in-campaign", 422, "Tổ không tham gia đợt ra quân", "The team does not take part in the campaign"),
    ("visit-off-campaign-day", 422, "Ngày thăm không phải ngày ra quân", "The visit is not on the campaign's day"),
    ("campaign-not-held", 409, "Chưa biết ngày ra quân thực tế", "It is not known yet on which day the campaign was held"),
    ("group-ids-differ", 422, "Số mã lượt thăm khác số hộ", "There are not as many visit ids as households"),
    ("bundle-cursor-expired", 410, "Cần tải lại từ đầu", "The bundle has to be fetched from the beginning"),
    ("visit-in-future", 422, "Ngày thăm ở tương lai", "The visit is dated into the future"),
    ("visit-before-household", 422, "Ngày thăm trước khi có hộ", "The visit is dated before its household"),
    ("visit-before-team", 422, "Ngày thăm trước khi lập tổ", "The visit is dated before its team was formed"),
    ("survey-before-team", 422, "Ngày thu thập thông tin trước khi lập tổ", "The survey is dated before its team was formed"),
    ("follow-up-before-visit", 422, "Ngày hẹn trước ngày thăm", "The follow-up is dated before the visit"),
    ("guidance-without-meeting", 422, "Không gặp thì không có hướng dẫn", "Guidance needs somebody to have been met"),
    ("stage-unknown", 422, "Dịch vụ số không có mức độ này", "The digital service has no such stage"),
)

METRICS = _rows(
    ("indicator-unknown", 422, "Không có chỉ tiêu này", "There is no such indicator"),
    ("by-not-possible", 422, "Không thể phân tổ như vậy", "The figures cannot be broken down like that"),
    ("period-reversed", 422, "Ngày đầu sau ngày cuối", "The first day is after the last"),
    (
        "period-not-whole",
        422,
        "Phải hỏi theo tháng, quý hoặc năm trọn vẹn",
        "Whole months, quarters or years must be asked for",
    ),
    ("answer-too-large", 422, "Câu trả lời quá lớn", "The answer would be too large"),
    ("cut-malformed", 400, "Điểm chốt không đúng dạng", "The cut is malformed"),
    ("cut-not-reached", 409, "Chưa có số liệu đến điểm chốt này", "The figures have not reached this cut yet"),
    ("nothing-to-compare", 422, "Không có hai vế để so sánh", "There are no two sides to compare"),
    ("as-of-reversed", 422, "Thời điểm sau đứng trước thời điểm trước", "The later moment comes first"),
    ("figure-not-one", 422, "Phải hỏi đúng một số liệu", "Exactly one figure must be asked for"),
    ("not-in-quarantine", 422, "Sự kiện này không nằm trong diện chờ xử lý", "That event is not in quarantine"),
    ("figure-not-whole", 422, "Số liệu chưa đầy đủ nên chưa công bố được", "The figure is not complete, so it cannot be issued"),
    ("as-of-in-future", 422, "Thời điểm ở tương lai", "The moment lies in the future"),
    ("topic-unavailable", 503, "Chưa đọc được sổ sự kiện", "The events cannot be read from their topic"),
    ("rebuild-needed", 503, "Sổ số liệu phải được dựng lại trước", "The ledger has to be rebuilt first"),
)

CLOSINGS = _rows(
    ("unit-not-closable", 422, "Chỉ chốt số liệu của xã, huyện, tỉnh", "Only communes, districts and provinces close months"),
    ("month-not-over", 422, "Tháng chưa kết thúc", "The month is not over yet"),
    ("month-submitted", 422, "Số liệu tháng đã được trình", "The month has been submitted"),
    ("month-not-submitted", 422, "Số liệu tháng chưa được trình", "The month is not submitted"),
    ("month-approved", 422, "Số liệu tháng đã được duyệt", "The month has been approved"),
    ("month-not-approved", 422, "Số liệu tháng chưa được duyệt", "The month is not approved"),
    ("own-submission", 422, "Không tự duyệt hoặc trả lại số liệu do mình trình", "Nobody approves or returns their own submission"),
    ("cut-incomplete", 422, "Điểm chốt phải nêu đủ các sổ", "The cut must name every source of the figures"),
    ("cut-before-month-end", 422, "Điểm chốt trước khi tháng kết thúc", "The cut lies before the month's end"),
    ("cut-before-last", 422, "Điểm chốt trước lần trình trước", "The cut lies before that of an earlier submission"),
    ("cut-before-below", 422, "Điểm chốt trước điểm chốt của cấp dưới", "The cut lies before that of a unit below"),
    ("figures-incomplete", 422, "Số liệu đến điểm chốt này chưa đầy đủ", "Events are missing from the figures at this cut"),
    ("figures-gap", 409, "Sổ còn thiếu sự kiện sau điểm chốt", "Events are missing right behind this cut"),
    ("below-not-approved", 422, "Cấp dưới chưa được duyệt hết", "Not every unit below is approved"),
    ("above-closed", 422, "Cấp trên đã trình hoặc đã duyệt", "The unit above is submitted or approved"),
)

PROBLEMS: dict[str, ProblemType] = {
    **REQUEST, **TOKENS, **AVAILABILITY, **INPUT, **COMMANDS, **DOMAIN, **REGISTRY, **VISITS, **METRICS,
    **CLOSINGS,
}
