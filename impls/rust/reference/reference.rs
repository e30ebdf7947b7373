//! A scoped spawn API as Rust would see it: signatures only, nothing runs. ScopeCheck's client programs are rendered
//! against it (`scopecheck explain --as rust`), and `scripts/agree-with-rustc` holds its client rules against rustc's
//! borrow checker with it. No dependencies; all client code is safe.
//!
//! Every value here has a destructor, so that it holds its loans until it is dropped, forgotten or consumed.
//! What differs from API to API stands in an `impl Api`, which the rendered file holds.

use std::cell::RefCell;
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The facts of one API that its types show. `()` is movable, `PhantomPinned` is not once it is pinned.
pub trait Api {
    type ScopePin;
    type HandlePin;
    type JoinPin;
    /// What a handle borrows: nothing, its scope ('s), its child (F), or the child's result.
    type HandleKeeps<'s, F: Future>;
}

/// Exactly 'a, no longer and no shorter.
type Exactly<'a> = PhantomData<fn(&'a ()) -> &'a ()>;

/// Memory that can be borrowed: a cell.
pub struct Memory(u32);
impl Memory {
    pub fn new() -> Memory { Memory(0) }
}
pub fn read(_cell: &Memory) {}
pub fn write(_cell: &mut Memory) {}

// ---- places -------------------------------------------------------------------------------------------------------

/// Room in a frame for a value that is pinned there. As in the crates moveit and stackpin, the reference that owns
/// the value can be dropped before the frame ends; it can neither be moved out nor forgotten.
pub struct Slot(());
impl Slot {
    pub fn new() -> Slot { Slot(()) }
    pub fn pin<T>(&self, _value: T) -> Pin<Own<'_, T>> { unimplemented!() }
}
pub struct Own<'slot, T>(PhantomData<(&'slot Slot, T)>);
impl<T> Drop for Own<'_, T> { fn drop(&mut self) {} }
impl<T> Deref for Own<'_, T> {
    type Target = T;
    fn deref(&self) -> &T { unimplemented!() }
}
impl<T> DerefMut for Own<'_, T> {
    fn deref_mut(&mut self) -> &mut T { unimplemented!() }
}
/// Takes a value out of its frame: only what does not mind being moved.
pub fn take<T: Unpin>(_value: Pin<Own<'_, T>>) -> T { unimplemented!() }

/// Forgets a value by making it own itself.
pub fn forget_in_cycle<T>(value: T) {
    struct Node<T>(RefCell<Option<Rc<Node<T>>>>, #[allow(dead_code)] T);
    let node = Rc::new(Node(RefCell::new(None), value));
    *node.0.borrow_mut() = Some(node.clone());
}

// ---- scopes -------------------------------------------------------------------------------------------------------

/// A guard. With `spawn` it carries the loans of its children, for 'a; with the others it carries none.
pub struct Scope<'a, A: Api>(Exactly<'a>, PhantomData<A::ScopePin>);
impl<A: Api> Drop for Scope<'_, A> { fn drop(&mut self) {} }
impl<'a, A: Api> Scope<'a, A> {
    pub fn new() -> Self { unimplemented!() }
    pub fn spawn<'s, F: Future + 'a>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve<'s, F: Future + 'a>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    pub fn spawn_lending<'s, F: Future>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve_lending<'s, F: Future>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    pub fn spawn_static<'s, F: Future + 'static>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve_static<'s, F: Future + 'static>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    /// What a child needs to spawn into its own scope: a copy that borrows nothing.
    pub fn token(&self) -> Token<'a, A> { unimplemented!() }
    pub fn join(&self) {}
    pub fn join_as(&self) -> Join<'_, A> { unimplemented!() }
    pub fn cancel(&self) {}
    pub fn close(&self) {}
}
impl<A: Api> Future for Scope<'_, A> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> { unimplemented!() }
}

pub struct Token<'a, A: Api>(Exactly<'a>, PhantomData<fn() -> A>);
impl<A: Api> Copy for Token<'_, A> {}
impl<A: Api> Clone for Token<'_, A> {
    fn clone(&self) -> Self { *self }
}
impl<'a, A: Api> Token<'a, A> {
    pub fn spawn<'s, F: Future + 'a>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve<'s, F: Future + 'a>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    pub fn spawn_lending<'s, F: Future>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve_lending<'s, F: Future>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    pub fn spawn_static<'s, F: Future + 'static>(&'s self, _child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
    pub fn reserve_static<'s, F: Future + 'static>(&'s self, _child: F) -> Reserved<'s, F, A> { unimplemented!() }
    pub fn token(&self) -> Self { *self }
}

/// An awaitable join: it borrows its scope.
pub struct Join<'s, A: Api>(PhantomData<&'s ()>, PhantomData<A::JoinPin>);
impl<A: Api> Drop for Join<'_, A> { fn drop(&mut self) {} }
impl<A: Api> Future for Join<'_, A> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> { unimplemented!() }
}

/// `scope(|s| ...)`: children end before it returns. The client never owns the scope; handles name its lifetime.
pub struct ClosureScope<'scope, 'env: 'scope, A: Api>(Exactly<'scope>, Exactly<'env>, PhantomData<fn() -> A>);
pub fn enter<'env, A: Api>(_body: impl for<'scope> FnOnce(&'scope ClosureScope<'scope, 'env, A>)) {}
impl<'scope, A: Api> ClosureScope<'scope, '_, A> {
    pub fn spawn<F: Future + 'scope>(&'scope self, _child: F) -> Handle<A::HandleKeeps<'scope, F>, A> { unimplemented!() }
    pub fn reserve<F: Future + 'scope>(&'scope self, _child: F) -> Reserved<'scope, F, A> { unimplemented!() }
    pub fn spawn_static<F: Future + 'static>(&'scope self, _child: F) -> Handle<A::HandleKeeps<'scope, F>, A> { unimplemented!() }
    pub fn reserve_static<F: Future + 'static>(&'scope self, _child: F) -> Reserved<'scope, F, A> { unimplemented!() }
    /// Here the child may hold the scope itself: nobody can move or end it.
    pub fn token(&'scope self) -> &'scope Self { self }
    pub fn join(&self) {}
    pub fn join_as(&self) -> Join<'_, A> { unimplemented!() }
    pub fn cancel(&self) {}
    pub fn close(&self) {}
}

// ---- handles ------------------------------------------------------------------------------------------------------

/// A handle that borrows whatever `Keeps` borrows.
pub struct Handle<Keeps, A: Api>(PhantomData<fn() -> Keeps>, PhantomData<A::HandlePin>);
impl<Keeps, A: Api> Drop for Handle<Keeps, A> { fn drop(&mut self) {} }
impl<Keeps, A: Api> Handle<Keeps, A> {
    pub fn join(self) {}
    pub fn join_boxed(self: Pin<Box<Self>>) {}
    pub fn cancel(&self) {}
    pub fn detach(self) {}
    pub fn detach_boxed(self: Pin<Box<Self>>) {}
}
impl<Keeps, A: Api> Future for Handle<Keeps, A> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> { unimplemented!() }
}
/// From `reserve`: it holds its child, which runs once it is started, and names its scope.
pub type Reserved<'s, F, A> = Handle<(&'s (), F), A>;
impl<Keeps, A: Api> Handle<Keeps, A> {
    pub fn start(self: Pin<&mut Self>) {}
}
/// No scope: the handle carries the loans of its child.
pub fn spawn_lending<'s, A: Api, F: Future>(_child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }
/// No scope, no loans.
pub fn spawn_static<'s, A: Api, F: Future + 'static>(_child: F) -> Handle<A::HandleKeeps<'s, F>, A> { unimplemented!() }

pub fn reserve_lending<A: Api, F: Future>(_child: F) -> Handle<F, A> { unimplemented!() }
pub fn reserve_static<A: Api, F: Future + 'static>(_child: F) -> Handle<F, A> { unimplemented!() }

// ---- bodies -------------------------------------------------------------------------------------------------------

/// A future that the client wrote.
pub struct Block<F>(PhantomData<fn() -> F>, PhantomPinned);
impl<F: Future> Block<F> {
    pub fn new(_body: F) -> Self { unimplemented!() }
}
impl<F> Drop for Block<F> { fn drop(&mut self) {} }
impl<F> Future for Block<F> {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> { unimplemented!() }
}
pub fn poll_once<F: Future>(_future: Pin<&mut F>) {}
pub fn block_on<F: Future>(_body: F) {}
pub fn catch(_body: impl FnOnce()) {}
pub async fn suspend() {}
pub async fn yield_now() {}
pub async fn park() {}
pub fn keep_waker() {}
pub fn wake(_task: &str) {}
pub fn step(_task: &str) {}
pub fn run(_polls: u32) {}
pub fn settle() {}
pub fn shutdown() {}

/// Touches what it holds when it is dropped.
pub struct Touch<T>(pub T);
impl<T> Drop for Touch<T> { fn drop(&mut self) {} }
impl<T: 'static> Touch<T> {
    /// What a panic carries outlives every frame.
    pub fn payload(held: T) -> Self { Touch(held) }
}
/// Its own destructor panics.
pub struct Bomb;
pub fn throw<P: 'static>(_payload: P) -> ! { panic!() }
