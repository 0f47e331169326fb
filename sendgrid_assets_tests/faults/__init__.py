"""Faults that are really injected, and what must hold after each: nothing lost, nothing twice.

Belongs here: killing, failing and filling up real processes, and counting what was acknowledged against what is stored
and published. Does not: what one module does with a fault of its own, which stands beside that module's tests.

    python -m sendgrid_assets_tests.faults [KILLS] [--seed N] [--sweep] [--power] [--stateful [N]] [--mutants]
                                           [--load] [--backlog GB] [--json]

What shows which promise (`invariant` is asserted after every fault):

| promise | shown by |
|---|---|
| a 2xx means durable, whatever call the receiver dies in | `test_sweeps` (receiver), `webhook/test_power_loss` |
| nothing moves or is shown before it is durable | `test_power_loss_drain`, `test_power_loss_publish` |
| a failed fsync is told, not tried again, and ends the process | `test_sweeps` (receiver, EIO at fsync) |
| every acknowledged event is one row, of a table or of the rejects | all of them; `test_any_order` in any order |
| a chunk is loaded whole or not at all | `test_sweeps` (drain) |
| a commit reported as failed is not loaded twice | `test_sweeps` (drain, told of an error) |
| a replay changes nothing that is there, and brings back what is gone | `test_replay_killed` |
| a clock that jumps loses nothing, and doubles nothing | `test_clock` |
| many clients share few fsyncs, and are answered 2xx or 503 | `test_many_clients` |
| two drains, publishes and receivers at once do no harm | `test_at_once` |
| a full disk refuses, keeps, and passes by itself | `test_full_disk` |
| a lost, cut or broken write-ahead log costs nothing | `test_log_damaged` |
| the published file is the old one or the new one, whole | `test_sweeps` (publish), `warehouse/test_killed_steps` |
| starting again is the whole cure | the command: kills of everything at once |
| the checks above can fail | `test_mutants` |
"""
