"""The protocol of the two stacks as a small model, explored exhaustively: docs/develop/model.md."""
