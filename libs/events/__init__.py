"""The event-sourcing kit: decider, log, relay, consumer, envelope, Merkle tree and checkpoints."""
