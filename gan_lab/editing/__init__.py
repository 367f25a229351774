"""What is done with the latents of a trained generator: ways between them, directions to move them in."""
