"""What the DAG files share: defaults, parameters, assets, clients, alerts."""
