"""What the site is built with: pages of losses from the classes themselves, pictures, code that is run."""
