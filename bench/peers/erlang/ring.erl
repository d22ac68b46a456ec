%% SPDX-License-Identifier: MIT
%%
%% ring: processes in a circle pass one token on, N hops in all.
-module(ring).
-export([sizes/0, run/2]).

sizes() -> {"hops/s", 10000000, 503}.

run(N, Actors) ->
    Main = self(),
    First = spawn(fun() -> receive {next_is, Next} -> link_loop(Next, Main, 0) end end),
    Last = lists:foldl(
        fun(_, Next) -> spawn(fun() -> link_loop(Next, Main, 0) end) end, First, lists:seq(2, Actors)
    ),
    First ! {next_is, Last},
    {Seconds, ended} = bench:measure(fun() ->
        First ! {token, N},
        receive {last_hop_by, _} -> ended end
    end),
    %% The token goes round once more and adds up what each has counted.
    First ! {sum, self(), 0, First},
    Hops = receive {hops, Sum} -> Sum end,
    #{done => N, seconds => Seconds, checked => Hops =:= N}.

link_loop(Next, Main, Hops) ->
    receive
        {token, 1} ->
            Main ! {last_hop_by, self()},
            link_loop(Next, Main, Hops + 1);
        {token, Left} ->
            Next ! {token, Left - 1},
            link_loop(Next, Main, Hops + 1);
        {sum, To, Sum, Next} ->
            To ! {hops, Sum + Hops};
        {sum, To, Sum, First} ->
            Next ! {sum, To, Sum + Hops, First}
    end.
