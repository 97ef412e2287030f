/* foreign_runtime: what a runtime of somebody else's is to depthq: a library
 * which registers an operator in libtorch by being loaded, and without which a
 * TorchScript that calls the operator cannot be read. Stands in for
 * Torch-TensorRT's.
 */
#include <torch/library.h>

namespace
{

at::Tensor luma(const at::Tensor &pictures)
{
    return pictures.mean(1, /*keepdim=*/true);
}

} // namespace

TORCH_LIBRARY(foreign, library)
{
    library.def("luma(Tensor pictures) -> Tensor", luma);
}
