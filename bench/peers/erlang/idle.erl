%% SPDX-License-Identifier: MIT
%%
%% idle: N live processes, each with two integers of state, after each has handled one message: how much
%% memory one takes while it waits. Each hibernates, which is how an Erlang program keeps many quiet
%% processes: the heap is shrunk to what is in use.
-module(idle).
-export([sizes/0, run/2, idler/2]).

sizes() -> {"actors/s", 1000000, 1000000}.

run(N, _) ->
    Greeted = counters:new(1, [write_concurrency]),
    Before = bench:resident_bytes(),
    Live = erlang:system_info(process_count),
    {Seconds, true} = bench:measure(fun() ->
        greet(Greeted, N),
        bench:await(fun() -> counters:get(Greeted, 1) =:= N end, 600000)
    end),
    Bytes = (bench:resident_bytes() - Before) / N,
    AllLive = erlang:system_info(process_count) - Live =:= N,
    #{done => N, seconds => Seconds, bytes_per_actor => Bytes, checked => AllLive}.

greet(_Greeted, 0) ->
    ok;
greet(Greeted, Left) ->
    spawn(fun() -> idler({0, Left}, Greeted) end) ! hello,
    greet(Greeted, Left - 1).

idler({Count, Number}, Greeted) ->
    receive
        hello ->
            counters:add(Greeted, 1, 1),
            erlang:hibernate(?MODULE, idler, [{Count + 1, Number}, Greeted])
    end.
