//! Vestibule: a reverse-proxy authentication gateway. Password and SMS code in front of an application that cannot be changed.

pub mod adapters;
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod gateway;
pub mod login;
pub mod pages;
pub mod portal;
pub mod web;
