"""Adds a batch to a ledger inside the caller's transaction: the live way, and a rebuild's last steps."""

from collections.abc import Mapping

from services.metrics import tables
from services.metrics.blocks import by_block, number_blocks
from services.metrics.declared import add_declared
from services.metrics.domain.subjects import Subject
from services.metrics.fold import Batch, Numbers, no_balances, rows
from services.metrics.tables import Connection, Ledger


async def write(
    connection: Connection,
    ledger: Ledger,
    source: int,
    batch: Batch,
    *,
    subjects: Mapping[str, Subject],
    numbers: Numbers,
) -> None:
    """`subjects` are those that the batch has changed. The transaction uses `ledger` already. `numbers` learn
    those that are new; when the transaction fails, they and the subjects are no longer true.
    """
    # Units come first: a place belongs to the block of its commune, where that is known.
    await write_facts(connection, source, batch)
    places, series = numbers.missing(batch.postings)
    if places:
        new = await tables.number_places(connection, places)
        numbers.places |= new
        numbers.blocks |= await number_blocks(connection, new.values())
    if series:
        numbers.series |= await tables.number_series(connection, series)
    balances = no_balances()
    journal = rows(source, batch.postings, numbers, balances)
    if journal:
        await tables.add_journal(connection, ledger, journal)
        await tables.add_balances(connection, balances)
        of_blocks = by_block(balances, numbers.blocks)
        await tables.add_balances(connection, of_blocks, by="block")
        await tables.add_years(connection, of_blocks)
    if subjects:
        await tables.save_subjects(connection, source, subjects)


async def write_facts(connection: Connection, source: int, batch: Batch) -> None:
    """What is not counted but looked up: units, baselines, statistics, targets, digital services."""
    await tables.add_units(connection, source, batch.units)
    if batch.declared:
        await add_declared(connection, source, batch.declared)
