"""Delivery: from commits and stored records to everyone who reads them."""
