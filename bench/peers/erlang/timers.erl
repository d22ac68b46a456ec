%% SPDX-License-Identifier: MIT
%%
%% timers: one process starts N timers and cancels half of them before any is due: starts and cancels a
%% second. Afterwards, unmeasured, the other half must come, and nothing else.
-module(timers).
-export([sizes/0, run/2]).

-define(LEAD_MS, 500).
-define(LEAD_US_EACH, 5).
-define(SPREAD_MS, 500).

sizes() -> {"starts and cancels/s", 1000000, 1}.

run(N, _) ->
    Main = self(),
    spawn_opt(fun() -> keeper(N, Main) end, [{min_heap_size, 8 * N}, {message_queue_data, off_heap}]),
    receive {ended, Seconds, Checked} -> ok end,
    #{done => N + (N + 1) div 2, seconds => Seconds, checked => Checked}.

keeper(N, Main) ->
    Lead = ?LEAD_MS + N * ?LEAD_US_EACH div 1000,
    {Seconds, AllCancelled} = bench:measure(fun() ->
        cancel(start(0, N, Lead, rand:mwc59_seed(1), []))
    end),
    true = Seconds * 1000 < Lead,
    {Fired, Sum} = fired(Lead + 4 * ?SPREAD_MS, 0, 0),
    Half = N div 2,
    %% The odd ones are left: 1 + 3 + 5 + ...
    Main ! {ended, Seconds, AllCancelled andalso Fired =:= Half andalso Sum =:= Half * Half}.

start(N, N, _Lead, _Random, Timers) ->
    lists:reverse(Timers);
start(I, N, Lead, Random, Timers) ->
    Due = Lead + rand:mwc59_value32(Random) rem ?SPREAD_MS,
    Timer = erlang:start_timer(Due, self(), I),
    start(I + 1, N, Lead, rand:mwc59(Random), [Timer | Timers]).

%% Cancels every second one; each must still have had time left.
cancel([Even, _Odd | Rest]) -> is_integer(erlang:cancel_timer(Even)) andalso cancel(Rest);
cancel([Even]) -> is_integer(erlang:cancel_timer(Even));
cancel([]) -> true.

fired(Quiet, Count, Sum) ->
    receive
        {timeout, _, I} -> fired(Quiet, Count + 1, Sum + I)
    after Quiet -> {Count, Sum}
    end.
