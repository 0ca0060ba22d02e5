"""What a composite LSTM makes of times that it was not trained on."""
