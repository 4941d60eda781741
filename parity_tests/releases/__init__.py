"""What a release of PyTorch changed: facts recorded under each of them, and the page that is made of them."""
