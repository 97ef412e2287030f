"""modelkit: what the scripts that make model files share.

contract   what a network says of itself, checked by the table of infer/
artifact   a scripted or traced module + contract -> the bytes of an archive,
           proved by running them in a fresh process
library    a model library: content-addressed artefacts, one manifest a version
npm, onnx_weights, fastdepth*   networks that are fetched by name
"""
