"""Jobs: plan, apply, verify, report; no Airflow in here."""
