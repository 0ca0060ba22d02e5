"""Which of the six variants of the composite LSTM predicts motion best."""
