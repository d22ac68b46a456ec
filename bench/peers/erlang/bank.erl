%% SPDX-License-Identifier: MIT
%%
%% bank: a teller moves money between accounts, N transfers: each is a withdrawal, its reply, a deposit, its
%% reply, with IN_FLIGHT transfers under way at once. The sum of all balances must stay what it was.
-module(bank).
-export([sizes/0, run/2]).

-define(IN_FLIGHT, 10000).
-define(OPENING, 1000).

sizes() -> {"transfers/s", 5000000, 1000}.

run(N, Actors) ->
    Main = self(),
    Accounts = [spawn(fun() -> account(?OPENING) end) || _ <- lists:seq(1, Actors)],
    {Seconds, Completed} = bench:measure(fun() ->
        spawn_opt(
            fun() ->
                Tuple = list_to_tuple(Accounts),
                First = min(?IN_FLIGHT, N),
                Random = begin_many(Tuple, First, rand:mwc59_seed(1)),
                Main ! {completed, teller(Tuple, First, N, 0, Random)}
            end,
            %% Ten thousand replies wait in it: a heap that holds them spares the collections.
            [{min_heap_size, 1000000}]
        ),
        receive {completed, Ended} -> Ended end
    end),
    [Account ! {balance, self()} || Account <- Accounts],
    Sum = lists:sum([receive {balance, Account, Amount} -> Amount end || Account <- Accounts]),
    #{done => N, seconds => Seconds, checked => Completed =:= N andalso Sum =:= ?OPENING * Actors}.

account(Amount) ->
    receive
        {withdraw, From, Transfer, Sum} ->
            From ! {withdrawn, Transfer},
            account(Amount - Sum);
        {deposit, From, Transfer, Sum} ->
            From ! {deposited, Transfer},
            account(Amount + Sum);
        {balance, From} ->
            From ! {balance, self(), Amount},
            account(Amount)
    end.

teller(_Accounts, _Begun, N, N, _Random) ->
    N;
teller(Accounts, Begun, N, Ended, Random) ->
    receive
        {withdrawn, Transfer} ->
            choose(Accounts, Random) ! {deposit, self(), Transfer, 1},
            teller(Accounts, Begun, N, Ended, rand:mwc59(Random));
        {deposited, _Transfer} when Begun < N ->
            choose(Accounts, Random) ! {withdraw, self(), Begun, 1},
            teller(Accounts, Begun + 1, N, Ended + 1, rand:mwc59(Random));
        {deposited, _Transfer} ->
            teller(Accounts, Begun, N, Ended + 1, Random)
    end.

begin_many(_Accounts, 0, Random) ->
    Random;
begin_many(Accounts, Left, Random) ->
    choose(Accounts, Random) ! {withdraw, self(), Left, 1},
    begin_many(Accounts, Left - 1, rand:mwc59(Random)).

choose(Accounts, Random) ->
    element(rand:mwc59_value32(Random) rem tuple_size(Accounts) + 1, Accounts).
