"""The statements that change or show the catalog, in Athena's Hive dialect."""
