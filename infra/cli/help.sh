#!/bin/bash
cat <<'T'
usage: ./cloud COMMAND
  up [--data DIR] [--listen ADDRESS:PORT] [--hosts local|simulated:N|none] [--public ADDRESS/PREFIX]
                                                         runs the cloud until Ctrl-C; guests go on
  down [--data DIR] [--keep-guests]                      ends everything of DIR, which stays
  demo [--data DIR] [--boots N]                          shows the whole cloud at work, proves each step, leaves nothing; N boots of a guest beside bare qemu (5)
  doctor                                                 says what this machine can and can't do
  bench [--only OPERATION]...                            measures the control plane beside OpenStack Zed (about four minutes)
  generate                                               writes again what is made from the code and committed
  test [xunit arguments]                                 builds and runs all tests
  soak [--real] [--kills N] [--seed N]                   kills the real processes at random while clients work, then looks for what is stuck, leaked or lost, or billed wrongly
  soak --on functions [--kills N]                        the same to a function app on Azurite and RabbitMQ, the broker among what is killed
  soak --bills N                                         N random half years of events, late, twice, in any order, with deaths: invoices against what was
  soak --seeds N [--from SEED]                           N simulated clouds with all that can go wrong
  soak --fuzz N [--from SEED]                            N spoilt requests for each route
  soak --model N [--from SEED]                           N random sequences of requests against a small model of what they must be answered
  conformance SUITE [--on functions [--every N]]         runs OpenStack's test suite: smoke, identity, image, compute, network, volume, object, interop; Gnocchi's: metric; with scope enforced identity-rbac, image-rbac; Keystone's extensions identity-ext
T
