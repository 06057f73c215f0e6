"""The pages this project adds to the Airflow UI: which days of which tables to trust, and why."""
