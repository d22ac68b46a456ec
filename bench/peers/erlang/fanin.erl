%% SPDX-License-Identifier: MIT
%%
%% fanin: `Actors` producers send N messages each to one counter. As in counting, a producer has every 1,000
%% messages confirmed before it sends more.
-module(fanin).
-export([sizes/0, run/2]).

-define(SENDS_A_TURN, 1000).

sizes() -> {"messages/s", 2000000, 8}.

run(N, Actors) ->
    Main = self(),
    Goal = N * Actors,
    Counter = spawn_opt(fun() -> counter(0, Goal, Main) end, [{message_queue_data, off_heap}]),
    {Seconds, Counted} = bench:measure(fun() ->
        [spawn(fun() -> produce(Counter, N) end) || _ <- lists:seq(1, Actors)],
        receive {counted, Sum} -> Sum end
    end),
    #{done => Goal, seconds => Seconds, checked => Counted =:= Goal}.

counter(Goal, Goal, Main) ->
    Main ! {counted, Goal};
counter(Sum, Goal, Main) ->
    receive
        {add, Amount} ->
            counter(Sum + Amount, Goal, Main);
        {go_on, From} ->
            From ! go_on,
            counter(Sum, Goal, Main)
    end.

produce(Counter, Left) when Left =< ?SENDS_A_TURN ->
    add(Counter, Left);
produce(Counter, Left) ->
    add(Counter, ?SENDS_A_TURN),
    Counter ! {go_on, self()},
    receive go_on -> produce(Counter, Left - ?SENDS_A_TURN) end.

add(_Counter, 0) ->
    ok;
add(Counter, Left) ->
    Counter ! {add, 1},
    add(Counter, Left - 1).
