"""Connections: who may connect, what one may say, and which handler takes it."""
