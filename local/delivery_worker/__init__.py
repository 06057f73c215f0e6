"""The delivery worker's stand-in: what the Lambda service and the function behind it do, on one machine.

=================  ================================================================================================
module             what it knows
=================  ================================================================================================
``mapping``        the event source mapping, as Lambda holds it
``batches``        what travels from the stream to the function, and in which lane of its shard
``shards``         reading a shard, and making batches of each lane
``invoker``        what happens to a batch: retries, age, bisection, in the end the dead-letter queue
``failures``       the message that goes to the dead-letter queue
``function``       the function itself: rows and rejected records become files in S3
``crashes``        how the function is told to fail
``reports``        its log lines and metrics in CloudWatch
``checkpoints``    how far it has come, for a restart and for those who wait for it
=================  ================================================================================================

Run it with ``python -m local.delivery_worker``; it finds everything else in Lambda.
"""
