"""kineseg's offline training: recurrent predictors of motion, exported as bundles that the service runs."""
