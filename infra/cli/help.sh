#!/bin/bash
cat <<'T'
usage: ./cloud COMMAND
  up [--data DIR] [--listen ADDR:PORT] [--simulated N]   runs the cloud until Ctrl-C
  down --data DIR                                        stops it
  bench [--only OPERATION]...                            measures the control plane beside OpenStack Zed (about four minutes)
  generate                                               writes again what is made from the code and committed
  test [xunit arguments]                                 builds and runs all tests
  conformance SUITE                                      runs OpenStack's test suite: identity, image, compute, network, volume, interop
T
