"""Gateways: one module an AWS service, verbs of our domain, no policy; the client is handed in."""
