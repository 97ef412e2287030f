"""modelkit: what the scripts that make model files share.

contract   what a network says of itself, checked by the table of infer/
weights    a file of weights, read without running code, matched strictly
compiled   an eager network -> TorchScript, and what got baked into it
health     what a network must not do, found out by running it
golden     one picture and its answer, kept inside the archive
artifact   a scripted or traced module + contract -> the bytes of an archive,
           proved by running them in a fresh process
package    an eager network -> native code in a package of AOTInductor
nuke       a scripted or traced module -> the form that Nuke's node loads
library    a model library: content-addressed artefacts, one manifest a version
huggingface            networks of a model folder on disk
npm, onnx_weights, fastdepth*   networks that are fetched by name
"""
