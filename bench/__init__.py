"""Figures that can be made again: ``make bench`` measures, writes ``bench/results.json`` and the README's table."""
