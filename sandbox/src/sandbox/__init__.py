"""Emulated platforms with their own rules and scripted faults."""
