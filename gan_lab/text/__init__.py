"""Networks that read captions: from tokens to one vector."""
