"""Grafana boards, built by programs, and the operators' web page."""
