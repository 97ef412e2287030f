#include "infer/torch_net.hh"

#include <torch/csrc/jit/passes/inliner.h>

#include <set>

namespace dq_torch
{

namespace
{

bool reaches_outside(const std::string &name)
{
    static const std::set<std::string> names = {
        "aten::save",       "aten::from_file", "aten::_save_to_file",
        "aten::load",       "prim::rpc_async", "prim::rpc_sync",
        "prim::rpc_remote", "aten::_read_file"};

    return names.count(name) || name.rfind("c10d::", 0) == 0 ||
           name.rfind("rpc::", 0) == 0 || name.rfind("dist_", 0) == 0;
}

void walk(const torch::jit::Block *block, std::set<std::string> &found)
{
    for (const torch::jit::Node *node : block->nodes()) {
        std::string name = node->kind().toQualString();

        if (reaches_outside(name))
            found.insert(name);
        for (const torch::jit::Block *inner : node->blocks())
            walk(inner, found);
    }
}

} // namespace

std::string outside_of(const torch::jit::Module &module)
{
    std::set<std::string> found;
    std::string text;

    for (const auto &each : module.modules())
        for (const auto &method : each.get_methods()) {
            auto graph = method.graph()->copy();

            torch::jit::Inline(*graph);
            walk(graph->block(), found);
        }
    for (const auto &name : found)
        text += (text.empty() ? "" : " ") + name;
    return text;
}

} // namespace dq_torch
