"""The pipeline on one machine: a strict AWS, a delivery worker, traffic and the demo."""
