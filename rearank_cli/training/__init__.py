"""The other half of the papers: rewards and training data."""
