# SPDX-License-Identifier: Apache-2.0
"""The mixers of other people's code: the packages that PyTorch users install,
or, where there is none for the CPU, the few lines that they write."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def heads(x, count):
    """[B, L, E] to [B, H, L, D]."""
    return x.view(*x.shape[:2], count, -1).transpose(1, 2)


def joined(x):
    """[B, H, L, D] to [B, L, E]."""
    return x.transpose(1, 2).flatten(2)


def norm(width):
    """Layer normalisation with our ε."""
    return nn.LayerNorm(width, eps=1e-6)


class Projected(nn.Module):
    """Queries, keys and values of all heads, and the map of the result."""

    bias = False

    def __init__(self, shape):
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.emb, 3 * shape.emb, bias=self.bias)
        self.output = nn.Linear(shape.emb, shape.emb, bias=self.bias)

    def forward(self, x):
        q, k, v = (heads(part, self.heads) for part in self.qkv(x).chunk(3, -1))
        return self.output(joined(self.mix(q, k, v)))


class Transformer(Projected):
    """PyTorch's fused attention."""

    mask = None

    def mix(self, q, k, v):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask)


class Sparse(Transformer):
    """PyTorch's fused attention under the fixed pattern as a mask."""

    def __init__(self, shape):
        super().__init__(shape)
        stride, summary = math.isqrt(shape.length - 1) + 1, 8
        at = torch.arange(shape.length)
        block = at[:, None] // stride == at[None, :] // stride
        self.mask = block | (at % stride >= stride - summary)[None, :]


class LowRank(nn.Module):
    """V·(U·x), of 0.4 of the rank from which on nothing is saved."""

    def __init__(self, inputs, outputs, bias):
        super().__init__()
        rank = int(0.4 * (inputs * outputs // (inputs + outputs)))
        self.inner = nn.Linear(inputs, rank, bias=False)
        self.outer = nn.Linear(rank, outputs, bias=bias)

    def forward(self, x):
        return self.outer(self.inner(x))


class LowRankAttention(nn.Module):
    """Fused attention with every matrix factorised by itself."""

    def __init__(self, shape):
        super().__init__()
        self.heads = shape.heads
        self.maps = nn.ModuleList(
            LowRank(shape.emb, shape.emb, False) for _ in range(4))

    def forward(self, x):
        q, k, v = (heads(map(x), self.heads) for map in self.maps[:3])
        return self.maps[3](joined(F.scaled_dot_product_attention(q, k, v)))


class Linear(Projected):
    """elu + 1, sums over the keys."""

    def mix(self, q, k, v):
        q, k = F.elu(q) + 1, F.elu(k) + 1
        weights = 1 / (q @ k.sum(-2).unsqueeze(-1) + 1e-6)
        return (q @ (k.transpose(-1, -2) @ v)) * weights


class CosFormer(Projected):
    """relu features, weighed by the cosine of the distance."""

    bias = True

    def mix(self, q, k, v):
        angle = math.pi / 2 * torch.arange(q.shape[2]) / q.shape[2]
        turn = torch.stack([angle.cos(), angle.sin()])[..., None]

        def features(x):
            return torch.cat([F.relu(x) * turn[0], F.relu(x) * turn[1]], -1)

        q, k = features(q), features(k)
        weights = 1 / (q @ k.sum(-2).unsqueeze(-1)).clamp_min(1e-6)
        return (q @ (k.transpose(-1, -2) @ v)) * weights


class Synthesizer(nn.Module):
    """Dense: the logits of a token are an MLP of it."""

    def __init__(self, shape):
        super().__init__()
        width = shape.emb // shape.heads
        self.heads = shape.heads
        self.value = nn.Linear(shape.emb, shape.emb, bias=False)
        self.output = nn.Linear(shape.emb, shape.emb, bias=False)
        self.hidden = nn.Linear(shape.emb, shape.emb)
        self.table = nn.Parameter(0.02 * torch.randn(shape.heads, width, shape.length))
        self.bias = nn.Parameter(torch.zeros(shape.heads, 1, shape.length))

    def forward(self, x):
        hidden = heads(F.relu(self.hidden(x)), self.heads)
        weights = (hidden @ self.table + self.bias).softmax(-1)
        return self.output(joined(weights @ heads(self.value(x), self.heads)))


class Luna(nn.Module):
    """A short sequence reads the long one, which reads it; the next block's goes on."""

    @staticmethod
    def first(shape):
        """The short sequence of the first block."""
        return nn.Parameter(0.02 * torch.randn(1, 256, shape.emb))

    def __init__(self, shape):
        super().__init__()
        self.heads = shape.heads
        self.norm = norm(shape.emb)
        self.maps = nn.ModuleList(
            nn.Linear(shape.emb, shape.emb, bias=False) for _ in range(5))

    def forward(self, x, short):
        pack_query, pack_context, query, context, output = self.maps
        short = self.norm(short)
        rows = heads(pack_context(x), self.heads)
        asking = heads(pack_query(short.expand(len(x), -1, -1)), self.heads)
        packed = joined(F.scaled_dot_product_attention(asking, rows, rows))
        keys = heads(context(packed), self.heads)
        asking = heads(query(x), self.heads)
        result = joined(F.scaled_dot_product_attention(asking, keys, keys))
        return output(result), short + packed


class FNet(nn.Module):
    """The real part of a Fourier transform over both axes."""

    def __init__(self, shape):
        super().__init__()

    def forward(self, x):
        return torch.fft.fft2(x).real


def convolved(u, kernel):
    """The causal convolution of the rows of u with as many kernels."""
    length = u.shape[-1]
    product = torch.fft.rfft(u, 2 * length) * torch.fft.rfft(kernel, 2 * length)
    return torch.fft.irfft(product, 2 * length)[..., :length]


class GatedOutput(nn.Module):
    """GLU(gelu(y))."""

    def __init__(self, width):
        super().__init__()
        self.map = nn.Linear(width, 2 * width)

    def forward(self, y):
        return F.glu(self.map(F.gelu(y, approximate="tanh")), -1)


class S4D(nn.Module):
    """The kernel from its poles, convolved by FFT, in both directions."""

    def __init__(self, shape, states=64):
        super().__init__()
        width, modes = shape.emb, states // 2
        low, high = math.log(0.001), math.log(0.1)
        self.log_step = nn.Parameter(low + (high - low) * torch.rand(width))
        self.log_decay = nn.Parameter(
            torch.full((width, modes), math.log(0.5)))
        self.frequency = nn.Parameter(
            math.pi * torch.arange(modes).float().repeat(width, 1))
        self.output = nn.Parameter(
            torch.randn(2, width, modes, 2) * 0.5 ** 0.5)
        self.skip = nn.Parameter(torch.randn(width))
        self.gate = GatedOutput(width)

    def kernels(self, length):
        pole = torch.complex(-self.log_decay.exp(), self.frequency)
        step = pole * self.log_step.exp()[:, None]
        powers = (step[..., None] * torch.arange(length)).exp()
        weight = torch.view_as_complex(self.output) * (step.exp() - 1) / pole
        return 2 * torch.einsum("dcn,cnl->dcl", weight, powers).real

    def forward(self, x):
        u = x.transpose(1, 2)
        forward, backward = self.kernels(u.shape[-1])
        y = convolved(u, forward)
        # The second direction begins with the next token.
        y = y + F.pad(convolved(u.flip(-1), backward).flip(-1)[..., 1:], (0, 1))
        return self.gate((y + self.skip[:, None] * u).transpose(1, 2))


class LRU(nn.Module):
    """The recurrence as a convolution of each state, by FFT."""

    def __init__(self, shape, states=256):
        super().__init__()
        modulus = (0.99 ** 2 * torch.rand(states)).sqrt()
        self.nu = nn.Parameter((-modulus.log()).log())
        self.theta = nn.Parameter((2 * math.pi * torch.rand(states)).log())
        self.gamma = nn.Parameter((1 - modulus ** 2).sqrt().log())
        self.input = nn.Linear(shape.emb, 2 * states, bias=False)
        self.output = nn.Linear(2 * states, shape.emb, bias=False)
        self.skip = nn.Parameter(torch.randn(shape.emb))
        self.gate = GatedOutput(shape.emb)

    def forward(self, x):
        length = x.shape[1]
        step = torch.complex(-self.nu.exp(), self.theta.exp())
        powers = (step[:, None] * torch.arange(length)).exp()
        parts = self.input(x).view(*x.shape[:2], 2, -1).unbind(2)
        inside = torch.complex(*(p * self.gamma.exp() for p in parts))
        product = torch.fft.fft(inside.transpose(1, 2), 2 * length)
        product = product * torch.fft.fft(powers, 2 * length)
        h = torch.fft.ifft(product, 2 * length)[..., :length].transpose(1, 2)
        y = self.output(torch.cat([h.real, h.imag], -1))
        return self.gate(y + self.skip * x)


class Local(Projected):
    """The package local-attention: blocks without neighbours."""

    def __init__(self, shape):
        super().__init__(shape)
        from local_attention import LocalAttention

        self.attention = LocalAttention(
            dim=shape.emb // shape.heads, window_size=128, causal=False,
            look_backward=0, look_forward=0, autopad=True,
            use_rotary_pos_emb=False)

    def mix(self, q, k, v):
        return self.attention(q, k, v)


class Longformer(nn.Module):
    """The package transformers: a window of 512, the first token global."""

    def __init__(self, shape):
        super().__init__()
        from transformers import LongformerConfig
        from transformers.models.longformer.modeling_longformer import (
            LongformerSelfAttention)

        config = LongformerConfig(
            hidden_size=shape.emb, num_attention_heads=shape.heads,
            attention_window=[512], attention_probs_dropout_prob=0.0)
        self.attention = LongformerSelfAttention(config, 0)
        self.output = nn.Linear(shape.emb, shape.emb, bias=False)

    def forward(self, x):
        far = torch.zeros(x.shape[:2], dtype=torch.bool)
        far[:, 0] = True
        y = self.attention(
            x, attention_mask=10_000.0 * far,
            is_index_masked=torch.zeros_like(far), is_index_global_attn=far,
            is_global_attn=True)[0]
        return self.output(y)


class BigBird(nn.Module):
    """The package transformers: blocks of 64, three of them random."""

    def __init__(self, shape):
        super().__init__()
        from transformers import BigBirdConfig
        from transformers.models.big_bird.modeling_big_bird import (
            BigBirdBlockSparseAttention, BigBirdModel)

        config = BigBirdConfig(
            hidden_size=shape.emb, num_attention_heads=shape.heads,
            max_position_embeddings=shape.length, block_size=64,
            num_random_blocks=3, use_bias=False)
        self.attention = BigBirdBlockSparseAttention(config, seed=0)
        self.masks = BigBirdModel.create_masks_for_block_sparse_attn(
            torch.ones(shape.batch, shape.length), 64)
        self.output = nn.Linear(shape.emb, shape.emb, bias=False)

    def forward(self, x):
        blocked, band, rows, columns = self.masks
        return self.output(
            self.attention(x, band, rows, columns, blocked, blocked)[0])


def linformer(shape):
    from linformer import LinformerSelfAttention

    return LinformerSelfAttention(
        shape.emb, shape.length, k=128, heads=shape.heads)


def performer(shape):
    from performer_pytorch import SelfAttention

    return SelfAttention(
        shape.emb, causal=False, heads=shape.heads,
        dim_head=shape.emb // shape.heads, nb_features=256)


def reformer(shape):
    from reformer_pytorch import LSHSelfAttention

    return LSHSelfAttention(
        shape.emb, heads=shape.heads, bucket_size=64, n_hashes=1, causal=False)


def sinkhorn(shape):
    from sinkhorn_transformer.sinkhorn_transformer import (
        SinkhornSelfAttention)

    return SinkhornSelfAttention(
        shape.emb, 64, max_seq_len=shape.length, heads=shape.heads,
        dim_head=shape.emb // shape.heads, n_local_attn_heads=0, causal=False)


def nystromformer(shape):
    from nystrom_attention import NystromAttention

    return NystromAttention(
        shape.emb, dim_head=shape.emb // shape.heads, heads=shape.heads,
        num_landmarks=128, residual=False)


# By our name: the peer, and our settings that make it the same model.
PEERS = {
    "transformer": (Transformer, {}),
    "lowrank": (LowRankAttention, {}),
    "local": (Local, {"block": 128}),
    "sparse": (Sparse, {}),
    "longformer": (Longformer, {}),
    "bigbird": (BigBird, {}),
    "reformer": (reformer, {"hashes": 1}),
    "linformer": (linformer, {"projected": 128}),
    "linear": (Linear, {}),
    "performer": (performer, {"features": 256, "redraw": 0}),
    "cosformer": (CosFormer, {}),
    "nystromformer": (nystromformer, {"conv": 0}),
    "luna": (Luna, {}),
    "sinkhorn": (sinkhorn, {}),
    "synthesizer": (Synthesizer, {}),
    "fnet": (FNet, {}),
    "s4d": (S4D, {"initial": "lin", "states": 64}),
    "lru": (LRU, {"states": 256}),
}
