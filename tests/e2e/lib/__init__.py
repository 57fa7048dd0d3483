"""What the end-to-end tests and the story are made of: the real programs, driven from outside."""
