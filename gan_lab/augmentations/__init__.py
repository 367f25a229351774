"""What is done to every image before a discriminator sees it, real or generated; differentiable twice."""
