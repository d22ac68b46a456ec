%% SPDX-License-Identifier: MIT
%%
%% pingpong: two processes send one message back and forth, N round trips.
-module(pingpong).
-export([sizes/0, run/2]).

sizes() -> {"round trips/s", 5000000, 2}.

run(N, _) ->
    Main = self(),
    Pong = spawn(fun pong/0),
    {Seconds, Returned} = bench:measure(fun() ->
        spawn(fun() ->
            Pong ! {ball, self(), N},
            Main ! {returned, ping(0)}
        end),
        receive {returned, Count} -> Count end
    end),
    #{done => N, seconds => Seconds, checked => Returned =:= N}.

pong() ->
    receive
        {ball, From, Left} ->
            From ! {ball, self(), Left},
            pong()
    end.

ping(Returned) ->
    receive
        {ball, _From, 1} ->
            Returned + 1;
        {ball, From, Left} ->
            From ! {ball, self(), Left - 1},
            ping(Returned + 1)
    end.
