#!/usr/bin/env python3
"""Turn a network and its weights into a version that depthq can trust.

    scripts/export_model.py --module net.py:Class --weights w.safetensors \\
        --contract net.json --to DIR
    scripts/export_model.py --huggingface FOLDER --to DIR
    scripts/export_model.py --network demo-depth|fastdepth [--weights FILE] --to DIR
    scripts/export_model.py --archive net.pt --contract net.json --to DIR
    scripts/export_model.py ... --format aoti|trt [--size HxW] [--batch N]
    scripts/export_model.py ... --wrapper nuke

--module       a class of yours; the file is imported, so it must be yours
--huggingface  a model folder on disk: depth_anything, dpt, glpn, zoedepth,
               depth_pro
--network      demo-depth (from the shipped library, or from a checkpoint of
               its trainer) or fastdepth (fetched, or --weights FILE.onnx)
--archive      a TorchScript file that somebody else saved

--format aoti  native code for one size, batch and kind of machine (.pt2, by
               AOTInductor; needs g++) in place of TorchScript
--format trt   the same by Torch-TensorRT, where it and a GPU are there (.ts)
--wrapper nuke the form that Nuke's Inference node loads, by itself: linear
               pictures of any size in, padding and normalising inside

DIR gets the artefact and its manifest: it is a model library of its own, and
`depthq models add --from-export DIR` takes it into the farm's. Nothing is
written before all of this held:

  - weights are read without running code, and are exactly the network's
  - the network repeats itself, and is finite for a black and a white picture
  - scripted, or traced with sizes, batch and devices that got baked in found
    out (sizes and batch are declared, devices follow the picture again)
  - at four sizes (where they are free) and batches 1 and 4 the compiled
    network, and the saved one in a fresh process, answer what the eager one
    does: float32 within 1e-5 of the answer's range; a changed weight must
    show in that comparison

Exit status: 0, 2 usage, 65 the network, weights or contract are wrong, 66 a
file is missing, 69 a package is missing, 73 DIR cannot be written.
"""
import argparse
import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from modelkit import contract as contracts  # noqa: E402
from modelkit import library, steady  # noqa: E402
from modelkit.errors import CREATE, MISSING, USAGE, ModelError  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]


# ---- where a network comes from: each gives (eager network, contract) -----------

def _in_a_line(error):
    """An exception of somebody else's code, for people."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def _class_of(text):
    file, _, name = text.rpartition(":")
    if not file or not name.isidentifier():
        raise ModelError(f"--module {text}: write FILE.py:Class", USAGE)
    if not Path(file).is_file():
        raise ModelError(f"{file}: there is no such file", MISSING)
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # torch's compiler looks sources up there
    sys.path.insert(0, str(Path(file).resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a module throws what it likes
        raise ModelError(f"{file}: cannot be imported: {_in_a_line(error)}") from None
    if not hasattr(module, name):
        raise ModelError(f"{file}: has no class {name}")
    return getattr(module, name)


def _read_contract(path):
    try:
        return json.loads(Path(path).read_text())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}", MISSING) from None
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None


def _built(make, args):
    """An instance of a class of the user's, with --arguments."""
    try:
        given = json.loads(args.arguments)
    except ValueError as error:
        raise ModelError(f"--arguments: is no JSON ({error})", USAGE) from None
    if not isinstance(given, dict):
        raise ModelError('--arguments: write a JSON object, such as \'{"width": 64}\'', USAGE)
    try:
        return make(**given)
    except Exception as error:  # a constructor throws what it likes
        raise ModelError(f"--module {args.module}: cannot be made with --arguments {args.arguments}: {_in_a_line(error)}") from None


def _loaded(net, args):
    from modelkit import weights
    state = weights.read(args.weights, args.key)
    state = weights.without(weights.strip(state, args.strip) if args.strip else state, args.drop)
    return weights.load_into(net, state, args.weights).eval()


def from_module(args):
    if not args.weights or not args.contract:
        raise ModelError("--module needs --weights and --contract", USAGE)
    from modelkit import weights
    make = _class_of(args.module)
    contract = _read_contract(args.contract)
    net = _loaded(_built(make, args), args)
    contract.setdefault("source", f"{Path(args.module).name}, {args.weights.name} of SHA-256 {weights.digest(args.weights)}")
    return net, contract


def from_huggingface(args):
    from modelkit import huggingface
    name = args.name or re.sub(r"[^a-z0-9._-]+", "-", args.huggingface.resolve().name.lower())
    net = huggingface.load(args.huggingface, args.drop)
    return net, huggingface.contract(args.huggingface, name, args.version or "1.0.0")


def _shipped_demo(net):
    import torch
    from modelkit import weights
    manifest = json.loads(next((ROOT / "models").glob("demo-depth@*.json")).read_text())
    state = torch.jit.load(str(ROOT / "models" / manifest["file"])).state_dict()
    return weights.load_into(net, state, manifest["file"])


def from_network(args):
    if args.network == "fastdepth":
        import get_model
        from modelkit import fastdepth, fastdepth_source
        return fastdepth.from_onnx(get_model.onnx_of_fastdepth(args.weights)), fastdepth_source.CONTRACT
    import train_demo_model as demo
    if args.weights:
        return demo.lighten(_loaded(demo.DemoDepth(), args)), demo.CONTRACT
    return _shipped_demo(demo.lighten(demo.DemoDepth().eval())).eval(), demo.CONTRACT


def from_archive(args):
    import torch
    from modelkit import artifact
    if not args.archive.is_file():
        raise ModelError(f"{args.archive}: there is no such file", MISSING)
    contract = _read_contract(args.contract) if args.contract else artifact.read_contract(args.archive)
    try:
        net = torch.jit.load(str(args.archive), map_location="cpu").eval()
    except RuntimeError as error:
        raise ModelError(f"{args.archive}: is no TorchScript archive, or a damaged one ({str(error).splitlines()[0]})") from None
    _warn_of(args.archive, net)
    return net, contract


def _warn_of(path, net):
    """Before it is run for the first time: a hint for the person who may still stop it."""
    from modelkit import health
    print(f"export_model: warning: {path} is somebody else's program, and is run now with your rights", file=sys.stderr)
    for warning in health.warnings_of(net):
        print(f"export_model: warning: {warning}", file=sys.stderr)
    sys.stderr.flush()


# ---- export ----------------------------------------------------------------------

def _claims(contract, args):
    """The contract with what the command line says in its place."""
    contract = json.loads(json.dumps(contract))
    for key in ("name", "version", "licence", "source", "description"):
        if getattr(args, key):
            contract[key] = getattr(args, key)
    contracts.check(contract)
    if args.size:
        contract["input"]["size"] = {"fixed": args.size}
    contract["input"]["dtype"] = args.dtype or contract["input"].get("dtype", "float32")
    return contracts.check(contract)


def _typed(net, dtype):
    """net with numbers of a type; what keeps its weights in another on purpose (demo-depth) computes in float32."""
    import torch
    mixed = len({t.dtype for t in net.state_dict().values() if t.is_floating_point()} | {torch.float32}) > 1
    if mixed and dtype != torch.float32:
        raise ModelError("the network keeps float16 weights and computes in float32: --dtype is not for it")
    return net if mixed else net.to(dtype)


def compile_network(net, contract, args):
    """eager -> (ScriptModule, contract as it turned out, [what to tell])."""
    from modelkit import compiled
    if args.archive:
        return net, contract, ["taken as it was saved"]
    module, did = compiled.script_or_trace(net, contract, args.compile)
    settled, told = compiled.settle(net, module, contract)
    return module, settled, [did, *told]


def packaged(net, contract, args):
    """eager -> (bytes, digest, worst difference, contract as it turned out, [what to tell]): native code."""
    from modelkit import artifact, package
    if args.archive:
        raise ModelError("--format aoti compiles from the source: name --module, --huggingface or --network", USAGE)
    contract, told = package.settle(contract, args.batch)
    data = package.make(net, contract, args.march)
    return data, hashlib.sha256(data).hexdigest(), artifact.prove(net, data, contract), contract, told


def engine(net, contract, args):
    """The same by TensorRT."""
    from modelkit import artifact, tensorrt
    if args.archive:
        raise ModelError("--format trt compiles from the source: name --module, --huggingface or --network", USAGE)
    if args.march:
        raise ModelError("--march is for --format aoti", USAGE)
    tensorrt.require()
    contract, told = tensorrt.settle(contract, args.batch)
    data = tensorrt.make(net, contract)
    return data, hashlib.sha256(data).hexdigest(), artifact.prove(net, data, contract), contract, told


def scripted(net, contract, args):
    """The same for TorchScript, with warnings of what its code reaches for."""
    from modelkit import artifact, health
    if args.batch or args.march:
        raise ModelError("--batch and --march are for --format aoti (and trt)", USAGE)
    module, contract, told = compile_network(net, contract, args)
    health.check(module, contract)
    made = artifact.make(net, module, contract, artifact.golden_tile(net, contract))
    return (*made, contract, told + [f"warning: {w}" for w in health.warnings_of(module)])


def export_for_nuke(net, contract, args):
    """DIR/NAME-VERSION.nuke.pt: no version of ours, for it has no contract."""
    from modelkit import nuke
    if args.format != "torchscript":
        raise ModelError("--wrapper nuke is TorchScript: leave --format out", USAGE)
    module, contract, told = compile_network(net, contract, args)
    data, worst = nuke.make(net, module, contract)
    path = args.to / f"{contract['name']}-{contract['version']}.nuke.pt"
    try:
        args.to.mkdir(parents=True, exist_ok=True)
        library.publish_file(path, data)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written: {error.strerror}", CREATE) from None
    print("\n".join(f"  {line}" for line in [*told, f"within {worst:.2g} of the range of the eager network's answers"]))
    print(f"wrote {path}")


FORMATS = {"torchscript": scripted, "aoti": packaged, "trt": engine}


def export_version(net, contract, args):
    from modelkit import artifact
    moved = artifact.check_sensitive(net, contract)
    data, digest, worst, contract, told = FORMATS[args.format](net, contract, args)
    library.publish(args.to, data, contract)
    tell(contract, data, digest, worst, moved, told)
    print(f"wrote {library.manifest_path(args.to, contract['name'], contract['version'])}")


def export(args):
    import torch
    from modelkit import artifact, health
    torch.manual_seed(0)
    net, contract = next(make for name, make in SOURCES.items() if getattr(args, name))(args)
    contract = _claims(contract, args)
    if not args.archive:
        net = _typed(net, artifact.DTYPES[contract["input"]["dtype"]])
    health.check(net, contract)
    (export_for_nuke if args.wrapper else export_version)(net, contract, args)


def tell(contract, data, digest, worst, moved, told):
    from modelkit.artifact import bound_of
    dtype = contract["input"]["dtype"]
    print(f"{contract['name']}@{contract['version']}: {dtype}, {len(data):,} bytes, SHA-256 {digest}")
    for line in told:
        print(f"  {line}")
    sizes = ", ".join(f"{h}x{w}" for h, w in contracts.shapes(contract))
    print(f"  sizes {sizes}; batches {', '.join(map(str, contracts.batches(contract)))}: saved and loaded again it answers "
          f"within {worst:.2g} of the range (allowed {bound_of(contract):g})")
    if moved is not None:
        print(f"  changed weights move the answer by {moved:.2g} of the range")


SOURCES = {"module": from_module, "huggingface": from_huggingface, "network": from_network, "archive": from_archive}


def _size(text):
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError("write HEIGHTxWIDTH")
    return [int(side) for side in found.groups()]


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--module", metavar="FILE.py:Class")
    source.add_argument("--huggingface", type=Path, metavar="FOLDER")
    source.add_argument("--network", choices=["demo-depth", "fastdepth"])
    source.add_argument("--archive", type=Path, metavar="FILE.pt")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder that gets artefact and manifest")
    parser.add_argument("--weights", type=Path, metavar="FILE", help=".safetensors, or torch.save's state dict")
    parser.add_argument("--contract", type=Path, metavar="FILE", help="the contract as JSON (docs/models.md)")
    parser.add_argument("--arguments", default="{}", metavar="JSON", help="keyword arguments of the class")
    parser.add_argument("--key", metavar="NAME", help="the entry of a checkpoint that holds the weights")
    parser.add_argument("--strip", metavar="PREFIX", help="take a prefix from the weights' keys")
    parser.add_argument("--drop", action="append", default=[], metavar="KEY", help="leave a key of the file out (repeat it)")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], help="type of weights and input")
    parser.add_argument("--size", type=_size, metavar="HxW", help="export for this size alone")
    parser.add_argument("--format", choices=list(FORMATS), default="torchscript")
    parser.add_argument("--wrapper", choices=["nuke"])
    parser.add_argument("--batch", type=int, metavar="N", help="of a package (1)")
    parser.add_argument("--march", metavar="NAME", help="processors that a package is for (x86-64-v3), as the compiler names them")
    parser.add_argument("--compile", choices=["auto", "script", "trace"], default="auto")
    for key in ("name", "version", "licence", "source", "description"):
        parser.add_argument(f"--{key}", help=f"the contract's {key}")
    return parser.parse_args(argv)


def main(argv=None):
    args = arguments(argv)
    try:
        steady.go_on()
        export(args)
    except ModelError as error:
        print(f"export_model: {error}", file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
