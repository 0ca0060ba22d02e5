"""All that makes the files that the service ships: the recipe, the predictor, the bundle around it."""
