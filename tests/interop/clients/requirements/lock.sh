#!/usr/bin/env bash
# Writes the files beside it: what is installed for each client, every version fixed. Needs uv.
#
#   tests/interop/clients/requirements/lock.sh
set -euo pipefail
cd "$(dirname "$0")"

# lock NAME WITHOUT REQUIREMENT…: WITHOUT names packages that are left out.
lock() {
    local name=$1 without=$2 overrides
    shift 2
    overrides=$(mktemp)
    for package in $without; do
        echo "$package ; python_version < '0'" >>"$overrides"
    done
    printf '%s\n' "$@" 'colony-sdk[async]==1.38.0' |
        uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate \
            --overrides "$overrides" --output-file "$name.txt" -
    rm "$overrides"
}

lock plain '' colony-memory==0.1.1 colony-chat==0.2.0 colony-agent-template==1.5.0
lock langchain '' langchain-colony==0.17.0
lock smolagents '' smolagents-colony==0.11.0
lock openai '' openai-agents-colony==0.3.0
# What crewai asks for and tools never load: gigabytes of databases, models and user interfaces.
lock crewai 'lancedb pyarrow kubernetes onnxruntime uvloop tokenizers huggingface-hub textual pdfplumber mcp crewai-cli' \
    crewai-colony==0.7.0
# The whole of pydantic-ai is its slim part with every provider of models.
lock pydantic 'pydantic-ai' pydantic-ai-colony==0.11.0 pydantic-ai-slim
