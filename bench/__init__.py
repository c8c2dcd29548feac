"""The bench: real data, the service beside a peer, the same SQL beside both. Nothing of the product imports it."""
