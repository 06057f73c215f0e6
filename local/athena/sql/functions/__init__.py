"""Trino's functions: ``catalog`` and ``aggregates`` list them as data, ``special`` holds those that need code."""
