"""How the Avro objects of registered partitions become rows."""
