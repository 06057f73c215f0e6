"""The library behind the DAGs: a pure core, gateways to AWS, jobs built from both, and the Airflow layer on top."""
