%% SPDX-License-Identifier: MIT
%%
%% counting: one producer sends N messages to one counter, then asks it for its count.
%%
%% The producer has every 1,000 messages confirmed before it sends more. With two schedulers that is nearly
%% twice as fast as the plain loop, where the counter falls behind and the queue leaves the caches; with one it
%% costs about a tenth. The counter's messages stay off its heap, so collecting it does not copy them.
-module(counting).
-export([sizes/0, run/2]).

-define(SENDS_A_TURN, 1000).

sizes() -> {"messages/s", 20000000, 2}.

run(N, _) ->
    Main = self(),
    Counter = spawn_opt(fun() -> counter(0) end, [{message_queue_data, off_heap}]),
    {Seconds, Counted} = bench:measure(fun() ->
        spawn(fun() ->
            produce(Counter, N),
            Main ! {counted, ask(Counter)}
        end),
        receive {counted, Total} -> Total end
    end),
    #{done => N, seconds => Seconds, checked => Counted =:= N}.

counter(Sum) ->
    receive
        {add, Amount} -> counter(Sum + Amount);
        {go_on, From} ->
            From ! go_on,
            counter(Sum);
        {total, From, Tag} -> From ! {Tag, Sum}
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

%% As gen:call does it: the reply or the end of the counter, whichever comes first.
ask(Counter) ->
    Tag = erlang:monitor(process, Counter, [{alias, reply_demonitor}]),
    Counter ! {total, Tag, Tag},
    receive
        {Tag, Total} -> Total;
        {'DOWN', Tag, _, _, Reason} -> exit(Reason)
    after 60000 -> exit(timeout)
    end.
