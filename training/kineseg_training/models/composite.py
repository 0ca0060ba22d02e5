"""An LSTM encoder whose final state two decoders start from: one gives the input back, one goes on with it.

After Srivastava, Mansimov and Salakhutdinov, "Unsupervised Learning of Video Representations using LSTMs", ICML 2015
(arXiv 1502.04681). B is the batch, S frames read, n frames decoded, C numbers in a frame, H units, L layers.

What differs from the paper: the cell is torch's, without the peephole connections of theirs. Frames that an
unconditioned decoder would be given as zeros are one zero instead of C, which computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from kineseg_training.errors import DataError, SettingsError
from kineseg_training.models.normalised import Normalised

# Added to the bias of the forget gates at the beginning: what was read long ago counts from the first step on, instead
# of once the gates have learnt to stay open (Jozefowicz, Zaremba & Sutskever, ICML 2015).
_FORGET_BIAS = 1.0

Output = Literal["linear", "logistic"]
State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class CompositeSettings:
    """The shape of the model.

    Attributes:
        inputs: C, numbers in a frame: channels of a percept, or pixels.
        hidden: H, units of every layer.
        layers: L, of the encoder and of each decoder; the state of every layer is handed over.
        reconstruct: Whether there is a decoder that gives the input back, last frame first.
        predict: Whether there is one that gives the frames after the input. With both it is the composite model.
        conditional: Whether a decoder is given the frame that it decoded before. In a composite model only the one
            that predicts is: the paper's six variants are these with and without it.
        output: ``linear`` for normalised channels, scored by the squared error; ``logistic`` for pixels in [0, 1],
            scored by the cross entropy.
        window: Frames that `CompositeLSTM.layer_sequences` reads at a stretch: as many as in training.
    """

    inputs: int
    hidden: int = 256
    layers: int = 1
    reconstruct: bool = True
    predict: bool = True
    conditional: bool = False
    output: Output = "linear"
    window: int = 10

    def __post_init__(self) -> None:
        for name in ("inputs", "hidden", "layers", "window"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (self.reconstruct or self.predict):
            raise SettingsError("reconstruct, predict: a model needs one decoder at least; set one of them")
        if self.output not in get_args(Output):
            raise SettingsError(f"output must be one of {', '.join(get_args(Output))}, got {self.output!r}")

    @property
    def condition_reconstruction(self) -> bool:
        """Whether the decoder that gives the input back is given what it decoded before."""
        return self.conditional and not self.predict


class Encoder(nn.Module):
    """Reads frames; what it has become is what the decoders know."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.lstm = _remembering(nn.LSTM(inputs, hidden, layers, batch_first=True))

    def forward(self, frames: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """States of the top layer ``(B, S, H)`` and the last state of all, ``(h, c)``, both ``(L, B, H)``."""
        states, last = self.lstm(frames, state)
        return states, last

    def by_layer(self, frames: Tensor) -> list[Tensor]:
        """States of every layer ``(B, S, H)``, lowest first."""
        found = []
        for level in range(self.lstm.num_layers):
            with torch.random.fork_rng(devices=[]):  # its initial values are not used, and cost no one's random numbers
                one = nn.LSTM(frames.shape[2], self.lstm.hidden_size, batch_first=True)
            names = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
            one.load_state_dict({f"{name}0": getattr(self.lstm, f"{name}{level}") for name in names})
            frames = one.to(frames.device)(frames)[0]
            found.append(frames)
        return found


class Decoder(nn.Module):
    """Starts from a state of the encoder and gives frames, without anything to read or reading its own."""

    def __init__(self, settings: CompositeSettings, *, conditional: bool) -> None:
        super().__init__()
        self.conditional = conditional
        self.logistic = settings.output == "logistic"
        inputs = settings.inputs if conditional else 1
        self.lstm = _remembering(nn.LSTM(inputs, settings.hidden, settings.layers, batch_first=True))
        self.readout = nn.Linear(settings.hidden, settings.inputs)

    def forward(
        self, state: State, n: int, before: Tensor | None = None, truth: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Decode `n` frames.

        Args:
            state: Of the encoder, ``(h, c)``, both ``(L, B, H)``.
            n: Frames to decode.
            before: ``(B, C)``, what a conditional decoder is given first; zeros if left out.
            truth: ``(B, n, C)``: give a conditional decoder the true frames one late instead of its own ("teacher
                forcing").

        Returns:
            What the readout gives, before any logistic, ``(B, n, C)``; states of the top layer ``(B, n, H)``.
        """
        batch, like = state[0].shape[1], state[0]
        if not self.conditional:
            states, _ = self.lstm(like.new_zeros(batch, n, 1), state)
            return self.readout(states), states
        frame = like.new_zeros(batch, 1, self.readout.out_features) if before is None else before[:, None]
        if truth is not None:
            states, _ = self.lstm(torch.cat([frame, truth[:, : n - 1]], dim=1), state)
            return self.readout(states), states
        outputs, seen = [], []
        for _ in range(n):
            hidden, state = self.lstm(frame, state)
            outputs.append(self.readout(hidden))
            seen.append(hidden)
            frame = self.frames(outputs[-1])
        return torch.cat(outputs, dim=1), torch.cat(seen, dim=1)

    def frames(self, outputs: Tensor) -> Tensor:
        """Frames, from what the readout gave; same shape."""
        return torch.sigmoid(outputs) if self.logistic else outputs


class CompositeLSTM(Normalised):
    """Encoder, and a decoder for the past, for the future, or for both.

    Frames are normalised, ``(channel - mean) / scale``, unless said otherwise; the two are part of the model (buffers
    `mean` and `scale`, both ``(C,)``). Those of pixels stay 0 and 1.

    Attributes:
        settings: The shape.
        encoder: Has `lstm`.
        reconstruction: Has `lstm` and `readout`; None if the model does not reconstruct.
        future: The same; None if it does not predict.
    """

    def __init__(self, settings: CompositeSettings) -> None:
        super().__init__(settings.inputs)
        self.settings = settings
        self.encoder = Encoder(settings.inputs, settings.hidden, settings.layers)
        self.reconstruction = (
            Decoder(settings, conditional=settings.condition_reconstruction) if settings.reconstruct else None
        )
        self.future = Decoder(settings, conditional=settings.conditional) if settings.predict else None

    def encode(self, frames: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Read ``(B, S, C)``, from `state` if a stream goes on.

        Returns:
            States of the top layer ``(B, S, H)``; the last state ``(h, c)``, both ``(L, B, H)``, for the decoders.
        """
        states, last = self.encoder(frames, state)
        return states, last

    def reconstruct(self, state: State, n: int, inputs: Tensor | None = None) -> Tensor:
        """The last `n` frames read, in reversed order: ``[:, 0]`` is the last one.

        Args:
            state: Of the encoder.
            n: Frames, more than were read if wanted: the decoder goes on into what was before them.
            inputs: ``(B, n, C)``, true frames in that order, that a conditional decoder is given one late.

        Returns:
            ``(B, n, C)``.

        Raises:
            SettingsError: The model has no such decoder.
        """
        decoder = self.past_decoder()
        return decoder.frames(decoder(state, n, truth=inputs)[0])

    def predict(self, state: State, n: int, last: Tensor | None = None, inputs: Tensor | None = None) -> Tensor:
        """The `n` frames after those read.

        Args:
            state: Of the encoder.
            n: Frames.
            last: ``(B, C)``, the last frame read, which a conditional decoder is given first.
            inputs: ``(B, n, C)``, true frames that it is given afterwards, one late, instead of its own.

        Returns:
            ``(B, n, C)``.

        Raises:
            SettingsError: The model has no such decoder, or a conditional one was not given `last`.
        """
        decoder = self.future_decoder()
        if decoder.conditional and last is None:
            raise SettingsError("last: a conditional decoder has to be given the last frame that was read")
        return decoder.frames(decoder(state, n, before=last, truth=inputs)[0])

    def past_decoder(self) -> Decoder:
        """The decoder that reconstructs.

        Raises:
            SettingsError: There is none.
        """
        if self.reconstruction is None:
            raise SettingsError("reconstruct: this model was made to predict only; make it with reconstruct=True")
        return self.reconstruction

    def future_decoder(self) -> Decoder:
        """The decoder that predicts.

        Raises:
            SettingsError: There is none.
        """
        if self.future is None:
            raise SettingsError("predict: this model was made to reconstruct only; make it with predict=True")
        return self.future

    def forward(self, source: Tensor, n: int, target: Tensor | None = None) -> dict[str, Tensor]:
        """Encode, and run every decoder there is: on its own output, or on the truth where `target` is given.

        Args:
            source: ``(B, S, C)``.
            n: Frames to predict.
            target: ``(B, n, C)``, the frames after the source: forces conditional decoders to go on from the truth.

        Returns:
            What the readouts give, before any logistic: ``past``, ``(B, S, C)``, last frame first, and ``future``,
            ``(B, n, C)``, as far as there are such decoders.
        """
        _, state = self.encode(source)
        outputs: dict[str, Tensor] = {}
        if self.reconstruction is not None:
            truth = source.flip(1) if target is not None else None
            outputs["past"] = self.reconstruction(state, source.shape[1], truth=truth)[0]
        if self.future is not None:
            outputs["future"] = self.future(state, n, before=source[:, -1], truth=target)[0]
        return outputs

    def error(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """What is minimised, a scalar: mean squared error of a frame's numbers, or their mean cross entropy.

        Args:
            outputs: Of a readout, before any logistic, ``(..., C)``.
            truth: Frames, the same shape.
        """
        if self.settings.output == "logistic":
            return F.binary_cross_entropy_with_logits(outputs.float(), truth)
        return F.mse_loss(outputs.float(), truth)

    @torch.no_grad()
    def layer_sequences(self, frames: NDArray[np.floating]) -> dict[str, NDArray[np.float32]]:
        """What every layer makes of a whole clip.

        The clip is cut into stretches of ``settings.window`` frames (the last may be shorter), each read from an
        initial state of zero as in training, so that no layer runs longer than it was trained to.

        Args:
            frames: ``(T, C)``, not normalised, T at least 1.

        Returns:
            ``(T, F)`` each: ``input`` (normalised, F = C), ``encoder 1`` to ``encoder L`` (F = H), ``reconstruction``
            (states of that decoder's top layer, put back into the order of the clip) and ``future`` (states while it
            predicts as many frames as the stretch has), as far as there are such decoders.

        Raises:
            DataError: There is no frame, or it has another number of channels.
        """
        if frames.ndim != 2 or not len(frames) or frames.shape[1] != self.settings.inputs:
            raise DataError(f"frames: expected (at least 1, {self.settings.inputs}), got {frames.shape}")
        device = self.mean.device
        clip = self.normalise(torch.from_numpy(np.asarray(frames, dtype=np.float32)).to(device))[None]
        stretches = [self._stretch(part) for part in torch.split(clip, self.settings.window, dim=1)]
        return {
            name: torch.cat([stretch[name] for stretch in stretches], dim=1)[0].cpu().numpy() for name in stretches[0]
        }

    def _stretch(self, frames: Tensor) -> dict[str, Tensor]:
        found = {"input": frames}
        found |= {f"encoder {level}": states for level, states in enumerate(self.encoder.by_layer(frames), start=1)}
        _, state = self.encode(frames)
        if self.reconstruction is not None:
            found["reconstruction"] = self.reconstruction(state, frames.shape[1])[1].flip(1)
        if self.future is not None:
            found["future"] = self.future(state, frames.shape[1], before=frames[:, -1])[1]
        return found


@torch.no_grad()
def _remembering(lstm: nn.LSTM) -> nn.LSTM:
    for level in range(lstm.num_layers):
        # Input, forget, cell and output gate lie one after the other; torch adds two biases, one of them is enough.
        getattr(lstm, f"bias_ih_l{level}")[lstm.hidden_size : 2 * lstm.hidden_size] += _FORGET_BIAS
    return lstm
