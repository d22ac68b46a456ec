%% SPDX-License-Identifier: MIT
%%
%% bench: the main program of the Erlang side: parses the options, runs one kernel and prints the same line of
%% JSON as Troupe's measuring programs.
%%
%%   erl +S 1:1 -noshell -pa EBIN -s bench main -extra KERNEL [--n N] [--actors N]
%%
%% A kernel is a module with
%%   sizes() -> {Unit, N, Actors}          the unit of its rate and its sizes when none are given
%%   run(N, Actors) -> #{done, seconds, checked} and, when it measures memory, bytes_per_actor
-module(bench).
-export([main/0, measure/1, resident_bytes/0, await/2]).

main() ->
    [Name | Options] = init:get_plain_arguments(),
    Kernel = list_to_atom(Name),
    {Unit, N0, Actors0} = Kernel:sizes(),
    N = option("--n", Options, N0),
    Actors = option("--actors", Options, Actors0),
    Result = Kernel:run(N, Actors),
    #{done := Done, seconds := Seconds, checked := Checked} = Result,
    io:format(
        "{\"kernel\": \"~s\", \"workers\": ~w, \"n\": ~w, \"actors\": ~w, \"seconds\": ~.4f, \"rate\": ~w, "
        "\"unit\": \"~s\", \"rss_bytes\": ~w, \"bytes_per_actor\": ~.1f, \"checked\": ~w}~n",
        [
            Name, erlang:system_info(schedulers_online), N, Actors, Seconds, round(Done / Seconds), Unit,
            resident_bytes(), float(maps:get(bytes_per_actor, Result, 0)), Checked
        ]
    ),
    halt(case Checked of true -> 0; false -> 1 end).

option(Name, [Name, Value | _], _) -> list_to_integer(Value);
option(Name, [_, _ | Rest], Default) -> option(Name, Rest, Default);
option(_, [], Default) -> Default.

%% measure(Work) -> {Seconds, Result}: runs it and takes the time.
measure(Work) ->
    Begun = erlang:monotonic_time(nanosecond),
    Result = Work(),
    {(erlang:monotonic_time(nanosecond) - Begun) / 1.0e9, Result}.

%% Of the whole process, as the kernel counts them.
resident_bytes() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.

%% await(Holds, Ms): whether Holds() becomes true within so many milliseconds.
await(Holds, Ms) ->
    case Holds() of
        true -> true;
        false when Ms =< 0 -> false;
        false -> timer:sleep(1), await(Holds, Ms - 1)
    end.
