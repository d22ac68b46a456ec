%% SPDX-License-Identifier: MIT
%%
%% big: `Actors` processes make N round trips each to others chosen at random, one at a time.
-module(big).
-export([sizes/0, run/2]).

-record(talker, {everybody, left, done = 0, random, main}).

sizes() -> {"round trips/s", 20000, 200}.

run(N, Actors) ->
    Main = self(),
    Talkers = [spawn(fun() -> start(Number, N, Main) end) || Number <- lists:seq(1, Actors)],
    Everybody = list_to_tuple(Talkers),
    [Talker ! {everybody, Everybody} || Talker <- Talkers],
    {Seconds, Answered} = bench:measure(fun() ->
        [Talker ! begin_talking || Talker <- Talkers],
        lists:sum([receive {answered, Talker, Done} -> Done end || Talker <- Talkers])
    end),
    #{done => N * Actors, seconds => Seconds, checked => Answered =:= N * Actors}.

start(Number, N, Main) ->
    receive {everybody, Everybody} -> ok end,
    Talker = #talker{everybody = Everybody, left = N, random = rand:mwc59_seed(Number), main = Main},
    talk(Talker).

talk(#talker{left = Left, done = Done} = Talker) ->
    receive
        {question, From, Number} ->
            From ! {answer, Number},
            talk(Talker);
        {answer, Left} when Left > 1 ->
            ask(Talker#talker{left = Left - 1, done = Done + 1});
        {answer, 1} ->
            Talker#talker.main ! {answered, self(), Done + 1},
            talk(Talker#talker{left = 0});
        begin_talking ->
            ask(Talker)
    end.

ask(#talker{everybody = Everybody, left = Left, random = Random} = Talker) ->
    To = element(rand:mwc59_value32(Random) rem tuple_size(Everybody) + 1, Everybody),
    To ! {question, self(), Left},
    talk(Talker#talker{random = rand:mwc59(Random)}).
