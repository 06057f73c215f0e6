"""Seeded, realistic traffic for the local pipeline, and the ledger of what was sent.

=============  ====================================================================================================
module         what it knows
=============  ====================================================================================================
``records``    what demands, notifications, events and sales look like
``wire``       how a change of such a record lies on the stream
``spoiling``   the ways in which a record can be invalid
``plan``       which records are sent, in which order: shares of removals, duplicates, invalid ones and the rest
``sending``    PutRecords, with retries of the records that were refused
``settling``   what became of traffic whose sender was interrupted
=============  ====================================================================================================

All persons are invented: telephone numbers are of the range +1-555-01xx and addresses end in fans.example.com, both
reserved for examples. By hand: ``python -m local traffic --records 500 --days 30 --seed 7``.
"""
