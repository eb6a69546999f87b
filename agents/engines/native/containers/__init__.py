"""Containers of the native engine: their records, their life and their logs."""
