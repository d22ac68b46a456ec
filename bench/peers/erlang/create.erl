%% SPDX-License-Identifier: MIT
%%
%% create: one process creates N others; each handles one message, answers it and ends. At most IN_FLIGHT are
%% alive at once.
-module(create).
-export([sizes/0, run/2]).

-define(IN_FLIGHT, 1000).

sizes() -> {"actors/s", 1000000, 1000000}.

run(N, _) ->
    Main = self(),
    Before = erlang:system_info(process_count),
    {Seconds, Total} = bench:measure(fun() ->
        spawn(fun() ->
            First = min(?IN_FLIGHT, N),
            [create_one(Number) || Number <- lists:seq(0, First - 1)],
            Main ! {total, creator(First, N, 0, 0)}
        end),
        receive {total, Sum} -> Sum end
    end),
    AllEnded = bench:await(fun() -> erlang:system_info(process_count) =:= Before end, 1000),
    #{done => N, seconds => Seconds, checked => Total =:= N * (N - 1) div 2 andalso AllEnded}.

creator(_Created, N, N, Sum) ->
    Sum;
creator(Created, N, Answered, Sum) ->
    receive
        {result, Number} when Created < N ->
            create_one(Created),
            creator(Created + 1, N, Answered + 1, Sum + Number);
        {result, Number} ->
            creator(Created, N, Answered + 1, Sum + Number)
    end.

create_one(Number) ->
    spawn(fun short_lived/0) ! {work, self(), Number}.

short_lived() ->
    receive
        {work, From, Number} -> From ! {result, Number}
    end.
